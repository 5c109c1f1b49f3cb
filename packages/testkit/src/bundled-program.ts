import { fileURLToPath } from 'node:url';

const bundle = new URL('../../node/dist/bundle/', import.meta.url);

/**
 * Absolute path of a program as it is shipped, such as `spawn-thread.js`. Jest makes them before the tests
 * (`scripts/lib/before-tests.mjs`), so they are what the sources are.
 */
export const bundledProgram = (name: string): string => fileURLToPath(new URL(name, bundle));
