import { constants } from 'node:os';
import type { ProcessExit } from '@carillon/core';

/**
 * The shell that stays with a detached program. It waits for leave to start it, so that a worker that dies before it
 * has noted the process never leaves one behind; it survives signals to its group, which end the program; and it
 * writes down how the program ended. Descriptors: 3 status, 4 leave to start, 5 the program's standard error, so
 * that remarks of the shell itself go nowhere. Traps are not inherited by the program.
 */
export const keeperScript = [
  'trap : HUP INT QUIT TERM USR1 USR2 ALRM PIPE',
  'read -r leave <&4 || exit',
  'exec 4<&- 5>&2 2>/dev/null',
  'echo started >&3',
  '(exec "$@" 2>&5 3>&- 5>&-)',
  'echo "exit $?" >&3',
].join('\n');

/** Written to descriptor 4. */
export const leaveToStart = 'go\n';

export interface KeeperStatus {
  started: boolean;
  exit: ProcessExit | undefined;
}

/** A shell's number for a program that was ended by a signal begins here. */
const signalBase = 128;

/** What a keeper has written so far; a line that is not whole counts for nothing. */
export function parseStatus(text: string): KeeperStatus {
  const started = text.startsWith('started\n');
  const code = /^exit (\d+)\n/m.exec(text)?.[1];
  return { started, exit: code === undefined ? undefined : exitOf(Number(code)) };
}

/** A shell says 128 + N for signal N; a program that exits with such a number itself cannot be told from it. */
function exitOf(code: number): ProcessExit {
  const number = code - signalBase;
  for (const [signal, value] of Object.entries(constants.signals)) {
    if (value === number) return { code: null, signal };
  }
  return { code, signal: null };
}
