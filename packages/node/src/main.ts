import { once } from 'node:events';
import { createInterface } from 'node:readline/promises';
import { readSecret } from './start/read-secret.js';
import { version } from './start/version.js';

// A node needs none of the commands, nor the client behind them, and they nothing of a node.
const [command, ...rest] = process.argv.slice(2);
if (command === 'start' || command === 'config') {
  const { startOrDescribe } = await import('./start/start-command.js');
  await startOrDescribe(command, rest);
} else {
  const signal = interrupted();
  const { runCli } = await import('@carillon/cli');
  process.exitCode = await runCli(process.argv.slice(2), {
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    isTTY: process.stdout.isTTY === true,
    columns: process.stdout.columns,
    version,
    readSecret,
    signal,
    ...(process.stdin.isTTY && process.stderr.isTTY
      ? { ask: (question: string) => askPerson(question, signal) }
      : {}),
  });
}

/** Only what begins like "yes" is a yes; the end of the input is a no. Rejects when the person gives up. */
async function askPerson(question: string, signal: AbortSignal): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  // At a terminal in raw mode Ctrl-C is a character, which no process gets as a signal.
  terminal.on('SIGINT', () => process.emit('SIGINT'));
  const ended = once(terminal, 'close').then(() => '');
  try {
    return /^\s*y/i.test(await Promise.race([terminal.question(question, { signal }), ended]));
  } finally {
    terminal.close();
  }
}

/** Aborted by the first Ctrl-C; the second one ends the program as usual. */
function interrupted(): AbortSignal {
  const controller = new AbortController();
  process.once('SIGINT', () => controller.abort());
  return controller.signal;
}
