export { type LogLine, MemoryLogger } from './memory-logger.js';
export { RationedLog } from './rationed-log.js';
export { WinstonLogger, type WinstonLoggerOptions } from './winston-logger.js';
