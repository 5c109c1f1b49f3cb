import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { generatePeerExport } from '@carillon/testkit';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { FakeCluster } from './fake-cluster.js';

const header = {
  type: 'header',
  format: 'carillon-export',
  version: 1,
  exported: 1,
  tables: {},
  active_jobs: 0,
};
const trailer = { type: 'trailer', counts: {} };

let cluster: FakeCluster;
let cwd: string;
beforeEach(async () => {
  cluster = await new FakeCluster().start();
  cwd = mkdtempSync(join(tmpdir(), 'carillon-cli-'));
  const backup = `${JSON.stringify(header)}\n${JSON.stringify(trailer)}\n`;
  writeFileSync(join(cwd, 'backup.json.gz'), gzipSync(backup));
  writeFileSync(join(cwd, 'crontab'), '* * * * * root true\n');
  const peer = generatePeerExport(1, { events: 3, rows: 3, nowSec: 1_700_000_000 });
  writeFileSync(join(cwd, 'cronicle.txt'), peer.text);
  cluster.events = [{ id: 'e1', title: 'Nightly report', params: {} }];
  cluster.answers.set('begin_export', { export: 'x1', header });
  cluster.answers.set('read_export', { lines: [] });
  cluster.answers.set('begin_import', { import: 'i1' });
  cluster.answers.set('add_to_import', {});
  const done = { imported: true, tables: {}, past: {}, obstacles: [], warnings: [] };
  cluster.answers.set('finish_import', done);
});
afterEach(async () => {
  await cluster.stop();
  rmSync(cwd, { recursive: true });
});

/** Lines of the code blocks of a document that begin with the program's name. */
function commandsOf(document: string): string[] {
  const text = readFileSync(new URL(`../../../docs/${document}`, import.meta.url), 'utf8');
  const blocks = [...text.matchAll(/```\n([^]*?)```/g)].map(([, block = '']) => block);
  return blocks.flatMap((block) => block.split('\n').filter((line) => line.startsWith('carillon ')));
}

const commands = [...commandsOf('backup.md'), ...commandsOf('migration.md')];

test('the documents have commands', () => expect(commands.length).toBeGreaterThan(6));

test.each(commands)('%s', async (line) => {
  const words = [...line.matchAll(/'([^']*)'|\S+/g)].map(([word, quoted]) => quoted ?? word);
  const argv = words.slice(1).map((word) => word.replace('/etc/crontab', 'crontab'));
  const { exitCode, err } = await cluster.run(argv, { cwd });
  expect({ exitCode, err }).toEqual({ exitCode: 0, err: expect.not.stringContaining('error') });
});
