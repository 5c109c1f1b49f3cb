export * from './convert-peer.js';
export type { Finding } from './findings.js';
export * from './peer-file.js';
