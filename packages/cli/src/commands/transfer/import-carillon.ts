import { resolve } from 'node:path';
import { ExportFileReader } from '@carillon/core';
import type { Command } from 'commander';
import { exitCodes } from '../../failures.js';
import type { Action, CommandRun } from '../../session.js';
import { printAnswer } from '../../transfer/import-report.js';
import { readLines } from '../../transfer/read-lines.js';
import { importAnew, readWishes } from '../../transfer/send-import.js';
import { addImportOptions } from './shared-options.js';

/** `import carillon`. */
export function addCarillonImport(group: Command, run: CommandRun): void {
  addImportOptions(
    group
      .command('carillon <file>')
      .description('restore what `carillon export` has written, all of it or nothing'),
  ).action(run.action(importCarillon));
}

/** The file is read once for its frame, so that nothing of a damaged one is sent, and once to be sent. */
const importCarillon: Action = async (session, file = '') => {
  const wishes = readWishes(session.options, 'carillon');
  const path = resolve(session.io.cwd ?? '.', file);
  const check = new ExportFileReader();
  for await (const text of readLines(path)) check.read(text);
  check.finish();
  const answer = await importAnew(session, async (sender) => {
    const reader = new ExportFileReader();
    for await (const text of readLines(path)) {
      const line = reader.read(text);
      if (line !== undefined) await sender.add(line, text.length);
    }
    return sender.finish(wishes);
  });
  const active = check.header?.active_jobs ?? 0;
  if (session.json) session.printJson(answer);
  else printAnswer(session, answer);
  if (active > 0) session.warn(`${active} jobs were active when it was exported: they are not in the file`);
  return answer.obstacles.length === 0 ? exitCodes.ok : exitCodes.failure;
};
