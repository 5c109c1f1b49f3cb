import { once } from 'node:events';
import { createInterface } from 'node:readline/promises';
import { ConfigError, describeConfig, loadConfig, parseStartArguments } from './config/index.js';
import { reasonOf } from './start/data-directory.js';
import { readSecret } from './start/read-secret.js';
import { version } from './start/version.js';

/** Exit codes of `start` and `config`; those of the other commands are the CLI's. */
const exitCode = { failed: 1, usage: 2 };

const [command, ...rest] = process.argv.slice(2);
if (command === 'start' || command === 'config') await startOrDescribe(command, rest);
else {
  const signal = interrupted();
  // A node needs none of the commands, nor the client behind them.
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

async function startOrDescribe(what: 'start' | 'config', argv: readonly string[]): Promise<void> {
  const given = parseStartArguments(argv);
  if (given.kind === 'help') {
    process.stdout.write(`${given.text}\n`);
    return;
  }
  if (given.kind === 'error') {
    process.stderr.write(`carillon: ${given.message}\n`);
    process.exitCode = exitCode.usage;
    return;
  }
  try {
    const config = loadConfig({ env: { ...process.env, ...given.env } });
    if (what === 'config') process.stdout.write(`${describeConfig(config)}\n`);
    else {
      // What only a node needs is half of what there is to load: other commands answer sooner without it.
      const { runNode } = await import('./start/run-node.js');
      await runNode(config);
    }
  } catch (error) {
    process.stderr.write(`carillon: ${reasonOf(error)}\n`);
    process.exitCode = error instanceof ConfigError ? exitCode.usage : exitCode.failed;
  }
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
