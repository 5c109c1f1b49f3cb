export { NamespaceNetwork, type Place } from './namespace-network.js';
export { whyNoNamespaces } from './own-namespaces.js';
