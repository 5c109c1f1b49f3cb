import type { Command } from 'commander';
import type { CommandRun } from '../../session.js';
import { addActivityCommands } from './activity.js';
import { addKeyCommands } from './key.js';
import { addRecordCommands } from './record-commands.js';
import { addServerCommands } from './server.js';
import { addUserCommands } from './user.js';
import { categoryKind, pluginKind, serverGroupKind } from './record-kinds.js';

/** The commands that administer a cluster. */
export function addManageCommands(program: Command, run: CommandRun): void {
  addRecordCommands(program, run, pluginKind);
  addRecordCommands(program, run, categoryKind);
  addRecordCommands(program, run, serverGroupKind);
  addKeyCommands(program, run);
  addUserCommands(program, run);
  addServerCommands(program, run);
  addActivityCommands(program, run);
}
