export { DirectoryLogArchive } from './directory-log-archive.js';
export { MemoryLogArchive } from './memory-log-archive.js';
export { RedisLogArchive } from './redis-log-archive.js';
export { S3LogArchive, type S3Place } from './s3-log-archive.js';
