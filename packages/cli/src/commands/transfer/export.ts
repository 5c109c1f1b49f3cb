import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { CarillonClient } from '@carillon/client';
import type { Command } from 'commander';
import { CommandError, reasonOf } from '../../failures.js';
import type { Action, CommandRun } from '../../session.js';

/** `export`. */
export function addExportCommand(program: Command, run: CommandRun): void {
  program
    .command('export [file]')
    .description(
      'write everything but logs of jobs to a file (packed if its name ends in .gz), or to standard output',
    )
    .action(run.action(exportAll));
}

const exportAll: Action = async (session, file) => {
  const counts = new Map<string, number>();
  const lines = exportedLines(session.client, counts);
  if (file === undefined) {
    for await (const line of lines) session.io.stdout.write(line);
    return;
  }
  const path = resolve(session.io.cwd ?? '.', file);
  await writeFile(path, lines);
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const shown = Object.fromEntries(counts);
  if (session.json) session.printJson({ file: path, lines: total, counts: shown });
  else session.note(`${total} lines written to ${file}`);
};

/** Header, everything, trailer. */
async function* exportedLines(client: CarillonClient, counts: Map<string, number>): AsyncGenerator<string> {
  const { export: id, header } = await client.beginExport();
  yield `${JSON.stringify(header)}\n`;
  let position: string | undefined;
  do {
    const part: Awaited<ReturnType<CarillonClient['readExport']>> = await client.readExport({
      export: id,
      ...(position === undefined ? {} : { position }),
    });
    for (const line of part.lines) {
      const type = String(Reflect.get(Object(line), 'type'));
      counts.set(type, (counts.get(type) ?? 0) + 1);
      yield `${JSON.stringify(line)}\n`;
    }
    position = part.next;
  } while (position !== undefined);
  yield `${JSON.stringify({ type: 'trailer', counts: Object.fromEntries(counts) })}\n`;
}

/** Readable for its owner alone; a file of that name is replaced when the new one is complete. */
async function writeFile(path: string, lines: AsyncIterable<string>): Promise<void> {
  const part = `${path}.part`;
  await rm(part, { force: true });
  const file = createWriteStream(part, { mode: 0o600, flags: 'wx' });
  const source = Readable.from(lines);
  try {
    if (path.endsWith('.gz')) await pipeline(source, createGzip(), file);
    else await pipeline(source, file);
    await rename(part, path);
  } catch (error) {
    await rm(part, { force: true });
    // Those of the cluster are passed on as they are.
    if (typeof Reflect.get(Object(error), 'syscall') !== 'string') throw error;
    throw new CommandError(`The file cannot be written: ${reasonOf(error)}`);
  }
}
