export { type BuiltinProgram, type DrainRequest, type WorkerDeps, type WorkerSettings } from './settings.js';
export { createWorker, type Worker } from './worker.js';
