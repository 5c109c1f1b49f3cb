export { type BuiltinProgram, type WorkerDeps, type WorkerSettings } from './settings.js';
export { createWorker, type Worker } from './worker.js';
