export * from './calls/index.js';
export * from './catalog-fields.js';
export * from './deliveries.js';
export * from './errors.js';
export * from './fields.js';
export * from './messages.js';
export * from './records.js';
export * from './validate/index.js';
