import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { ApiError, UnreachableError } from '@carillon/client';
import { convertPeer, type ConvertedPeer, PeerFileReader } from '@carillon/core';
import type { Command } from 'commander';
import { CommandError, exitCodes } from '../../failures.js';
import type { Action, CommandRun, Session } from '../../session.js';
import { printAnswer, printFindings } from '../../transfer/import-report.js';
import { readLines } from '../../transfer/read-lines.js';
import { type ImportAnswer, importAnew, type ImportWishes, readWishes } from '../../transfer/send-import.js';
import { addImportOptions } from './shared-options.js';

/** `import cronicle`. */
export function addCronicleImport(group: Command, run: CommandRun): void {
  addImportOptions(
    group
      .command('cronicle <file>')
      .description('take over what `control.sh export` of Cronicle has written, all of it or nothing'),
  ).action(run.action(importCronicle));
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

const importCronicle: Action = async (session, file = '') => {
  const wishes = readWishes(session.options, 'cronicle');
  const reader = new PeerFileReader();
  for await (const line of readLines(resolve(session.io.cwd ?? '.', file))) reader.read(line);
  const converted = convertPeer(reader.finish({ complete: wishes.partial !== true }), sha256);
  const lost = converted.findings.filter(({ level }) => level === 'lost');
  const records = lost.filter(({ what }) => !isWholeKind(what));
  if (!session.json) printFindings(session, converted.findings);
  if (records.length > 0 && wishes.dry_run !== true && wishes.partial !== true) {
    throw new CommandError(
      `Nothing was imported: ${records.length} records cannot be taken over. --partial imports everything else.`,
    );
  }
  const answer = await send(session, converted, wishes);
  if (session.json) session.printJson({ ...answer, findings: converted.findings });
  else if (answer !== undefined) printAnswer(session, answer);
  return (answer?.obstacles.length ?? 0) === 0 ? exitCodes.ok : exitCodes.failure;
};

/** Kinds that have no place in a cluster are reported, and do not stop an import; single records have an id. */
const isWholeKind = (what: string): boolean =>
  !/^(?:category|plugin|server group|API key|event|user) /.test(what);

/** A dry run also works where no cluster is there yet. */
async function send(
  session: Session,
  { lines }: ConvertedPeer,
  wishes: ImportWishes,
): Promise<ImportAnswer | undefined> {
  try {
    return await importAnew(session, async (sender) => {
      for (const line of lines) await sender.add(line, JSON.stringify(line).length);
      return sender.finish(wishes);
    });
  } catch (error) {
    const unanswered =
      error instanceof UnreachableError || (error instanceof ApiError && error.code === 'session');
    if (wishes.dry_run !== true || !unanswered) throw error;
    session.warn(`Not compared with the cluster: ${error.message}`);
    return undefined;
  }
}
