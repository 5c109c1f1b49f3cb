import { ConfigError, describeConfig, loadConfig, parseStartArguments } from '../config/index.js';
import { reasonOf } from './data-directory.js';

/** Exit codes of `start` and `config`; those of the other commands are the CLI's. */
const exitCode = { failed: 1, usage: 2 };

/**
 * Runs a node until it is told to stop, or prints its configuration. What goes wrong is said on standard error, and by
 * the exit code of the process.
 */
export async function startOrDescribe(what: 'start' | 'config', argv: readonly string[]): Promise<void> {
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
      // Most of what there is to load, and not needed for what went wrong so far.
      const { runNode } = await import('./run-node.js');
      await runNode(config);
    }
  } catch (error) {
    process.stderr.write(`carillon: ${reasonOf(error)}\n`);
    process.exitCode = error instanceof ConfigError ? exitCode.usage : exitCode.failed;
  }
}
