export * from './export-file.js';
export * from './export-lines.js';
export * from './import-data.js';
export * from './past-rows.js';
export * from './plan-import.js';
export * from './transfer-line.js';
export * from './transfer-tables.js';
