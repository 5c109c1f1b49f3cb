import type { ProgramStart } from '../../src/process/start/start-program.js';

/** A shell that runs a text in a directory, as this process's user. */
export const shellStart = (cwd: string, text: string, more: Partial<ProgramStart> = {}): ProgramStart => ({
  file: '/bin/sh',
  args: ['-c', text],
  cwd,
  env: { PATH: process.env['PATH'] ?? '' },
  uid: undefined,
  gid: undefined,
  script: undefined,
  ...more,
});
