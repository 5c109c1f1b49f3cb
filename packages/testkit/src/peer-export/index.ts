export { type GeneratedPeer, generatePeerExport, type PeerExportSize } from './generate.js';
