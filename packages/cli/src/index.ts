export type { CommandIo, TextSink } from './command-io.js';
export { exitCodes } from './failures.js';
export { cliReference } from './reference/cli-reference.js';
export { commandExamples, type CommandExample, wordsOf } from './reference/examples.js';
export { runCli } from './run-cli.js';
