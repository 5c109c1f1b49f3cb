import type { CommandIo } from '../command-io.js';

/** Width to fit tables to: that of the terminal; text that goes to a file or a program is never cut. */
export const tableWidth = (io: CommandIo): number | undefined => (io.isTTY ? io.columns : undefined);
