import type { Command } from 'commander';
import type { CommandRun } from '../../session.js';
import { addExportCommand } from './export.js';
import { addCarillonImport } from './import-carillon.js';
import { addCronicleImport } from './import-cronicle.js';

/** `export`, and what `import` takes beside crontabs. */
export function addTransferCommands(program: Command, group: Command, run: CommandRun): void {
  addExportCommand(program, run);
  addCarillonImport(group, run);
  addCronicleImport(group, run);
}
