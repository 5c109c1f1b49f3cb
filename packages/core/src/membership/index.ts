export * from './member-health.js';
export * from './reconcile.js';
