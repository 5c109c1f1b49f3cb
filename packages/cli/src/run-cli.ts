import { Command, CommanderError } from 'commander';
import type { CommandIo } from './command-io.js';
import { addCompletionCommand } from './commands/completion.js';
import { addEventCommands } from './commands/event.js';
import { addHistoryCommand } from './commands/history.js';
import { addImportCommand } from './commands/import-crontab.js';
import { addJobCommands } from './commands/job.js';
import { addManageCommands } from './commands/manage/index.js';
import { addRunCommand } from './commands/run.js';
import { addScheduleCommands } from './commands/schedule/index.js';
import { addStatusCommands } from './commands/status.js';
import { exitCodes, explainFailure } from './failures.js';
import { addTransferCommands } from './commands/transfer/index.js';
import { CommandRun } from './session.js';

/**
 * Runs one command of the `carillon` program that talks to a cluster. `argv` is what follows the program's name.
 * Resolves with the exit code, never rejects and never ends the process: 0 done, 1 failed (also: the
 * watched job failed), 2 wrong usage, 3 cluster not reached, 130 interrupted. For `plan` 2 says that there are
 * changes, and wrong usage is 1.
 */
export async function runCli(argv: readonly string[], io: CommandIo): Promise<number> {
  const run = new CommandRun(io);
  const program = createProgram(run, io);
  let usage: number = exitCodes.usage;
  program.hook('preSubcommand', (_program, command) => {
    if (command.name() === 'plan') usage = exitCodes.failure;
  });
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return run.exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : usage;
    if (io.signal?.aborted === true) return exitCodes.interrupted;
    const { message, exitCode } = explainFailure(error, {
      hasKey: run.connection?.apiKey !== undefined,
      keySource: run.connection?.keySource,
    });
    io.stderr.write(`error: ${message}\n`);
    return exitCode === exitCodes.usage ? usage : exitCode;
  }
}

/** All commands; their actions run on `run`. */
export function createProgram(run: CommandRun, io: CommandIo): Command {
  const program = new Command('carillon')
    .description('Carillon, a clustered job scheduler')
    .option('--url <url>', 'any node of the cluster (CARILLON_URL, else http://127.0.0.1:3012)')
    .option('--key <key>', 'API key (CARILLON_API_KEY, else that of a node of this machine)')
    .option('--ca <file>', 'authorities of https nodes, PEM (CARILLON_CA, else what the system trusts)')
    .option('--json', 'answer in JSON, for programs')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: (text) => void io.stderr.write(text),
      getOutHelpWidth: () => io.columns ?? 80,
      getErrHelpWidth: () => io.columns ?? 80,
    })
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError('Run with --help for usage.')
    .addHelpText('after', '\nStart a node: carillon start    Its settings: carillon config');
  if (io.version !== undefined) program.version(io.version);
  addStatusCommands(program, run);
  addEventCommands(program, run);
  addRunCommand(program, run);
  addJobCommands(program, run);
  addHistoryCommand(program, run);
  addManageCommands(program, run);
  addTransferCommands(program, addImportCommand(program, run), run);
  addScheduleCommands(program, run);
  addCompletionCommand(program, run);
  return program;
}
