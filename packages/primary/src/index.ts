export * from './http/index.js';
export * from './live/index.js';
export type { Standing } from './office.js';
export type { Meter } from './office/meter.js';
export type { OfficeSettings } from './office/settings.js';
export { Primary, type PrimaryDeps } from './primary.js';
