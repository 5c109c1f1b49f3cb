export * from './event-plans.js';
export * from './server-group.js';
export * from './setup-records.js';
