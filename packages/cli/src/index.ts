export type { CommandIo, TextSink } from './command-io.js';
export { exitCodes } from './failures.js';
export { runCli } from './run-cli.js';
