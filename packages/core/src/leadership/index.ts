export * from './lease-timing.js';
