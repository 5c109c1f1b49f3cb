export * from './plan-completion.js';
