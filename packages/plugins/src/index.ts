import { fileURLToPath } from 'node:url';

/** Names of the built-in plugins that are programs of their own (`builtin:NAME` in a plugin's command). */
export type BuiltinProgram = 'test' | 'url';

const programPath = (file: string): string => fileURLToPath(new URL(`../dist/${file}`, import.meta.url));

/**
 * Absolute paths of the built-in plugin programs (behaviour reference 6.7). Each is an ES module to be run by
 * Node: it reads the job as one JSON line from standard input and writes JSON lines to standard output.
 * The paths name the built files (`dist`), also when this module itself is loaded from its source.
 */
export const builtinPrograms: Readonly<Record<BuiltinProgram, string>> = Object.freeze({
  test: programPath('test-plugin.js'),
  url: programPath('url-plugin.js'),
});
