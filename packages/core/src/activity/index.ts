export * from './activity-ration.js';
export * from './redact.js';
