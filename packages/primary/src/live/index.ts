export { LiveServer, type LiveServerDeps } from './live-server.js';
export type { LiveListener, LiveSource } from './live-source.js';
