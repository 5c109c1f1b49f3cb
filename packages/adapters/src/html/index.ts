export * from './allow-list-sanitizer.js';
export * from './escaping-sanitizer.js';
