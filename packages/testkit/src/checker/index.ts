export * from './check-run.js';
export * from './demand.js';
export * from './records.js';
export { type Violation, type ViolationKind, violationKinds } from './violations.js';
