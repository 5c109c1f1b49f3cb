export { MemoryChannel } from './memory-channel.js';
export { type ChannelSettings, defaultChannelSettings } from './settings.js';
export { WsClusterChannel } from './ws-cluster-channel.js';
export { type WsChannelOptions, WsWorkerChannel } from './ws-worker-channel.js';
