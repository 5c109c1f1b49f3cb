export type { RedeliverySettings } from './bullmq-consumer.js';
export { BullmqJobQueue, type BullmqJobQueueOptions } from './bullmq-job-queue.js';
export { MemoryJobQueue, type MemoryJobQueueOptions } from './memory-job-queue.js';
