import type { Command } from 'commander';

/** Options that all imports of whole clusters have. */
export function addImportOptions(command: Command): Command {
  return command
    .option('--dry-run', 'only show what would be done')
    .option('--paused', 'switch the scheduler off with the import')
    .option('--no-catch-up', 'events that catch up go on from now, not where the export left them')
    .option('--no-jobs', 'leave out the records of completed jobs; their rows in the history are taken over')
    .option('--keep-existing', 'records that the cluster has under the same id stay')
    .option('--replace', 'records that the cluster has under the same id are replaced')
    .option('--partial', 'leave out what cannot be taken over, instead of refusing everything');
}
