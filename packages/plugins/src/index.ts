/**
 * Names of the built-in plugins that are programs of their own (`builtin:NAME` in a plugin's command; behaviour
 * reference 6.7). `NAME-plugin` is the program: a module to be run by Node, which reads the job as one JSON line from
 * standard input and writes JSON lines to standard output.
 */
export const builtinPrograms = ['test', 'url'] as const;

export type BuiltinProgram = (typeof builtinPrograms)[number];
