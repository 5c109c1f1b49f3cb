export * from './config/index.js';
export { type RunningNode, startNode } from './start/start-node.js';
