export * from './end-rules.js';
export * from './follow-ups.js';
export * from './history-row.js';
export * from './job-ending.js';
export * from './normalise-code.js';
export * from './plan-end.js';
export * from './plan-retry.js';
