export { MemoryLogArchive } from './memory-log-archive.js';
export { RedisLogArchive } from './redis-log-archive.js';
