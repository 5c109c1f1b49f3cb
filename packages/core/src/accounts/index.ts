export * from './attempt-rules.js';
export * from './recovery.js';
export * from './session-plans.js';
export * from './settings.js';
export * from './user-name.js';
export * from './user-plans.js';
