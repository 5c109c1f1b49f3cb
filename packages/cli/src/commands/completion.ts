import { Argument, type Command } from 'commander';
import { commandTable } from '../reference/command-table.js';
import { completionScript, shells } from '../reference/completion-scripts.js';
import { UsageError } from '../failures.js';
import type { CommandRun } from '../session.js';

/** `completion`. It comes last, as it tells of all others. */
export function addCompletionCommand(program: Command, run: CommandRun): void {
  program
    .command('completion')
    .description('print a script that completes commands and options')
    .addArgument(new Argument('<shell>', 'the shell that is to complete').choices(shells))
    .action(
      run.action(async (session, name) => {
        const shell = shells.find((known) => known === name);
        if (shell === undefined) throw new UsageError(`Unknown shell: ${String(name)}`);
        session.print(completionScript(shell, commandTable(program)).trimEnd());
      }),
    );
}
