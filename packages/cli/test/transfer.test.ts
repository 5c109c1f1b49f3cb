import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { importGone } from '@carillon/contract';
import { generatePeerExport } from '@carillon/testkit';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readLines } from '../src/transfer/read-lines.js';
import { FakeCluster, runCommand } from './fake-cluster.js';

let cluster: FakeCluster;
let cwd: string;
beforeEach(async () => {
  cluster = await new FakeCluster().start();
  cwd = mkdtempSync(join(tmpdir(), 'carillon-cli-'));
  cluster.answers.set('begin_import', { import: 'i1' });
  cluster.answers.set('add_to_import', {});
  cluster.answers.set('finish_import', {
    imported: true,
    tables: { events: { added: 3, replaced: 0, same: 0, kept: 0 } },
    past: { history: 5 },
    obstacles: [],
    warnings: ['event e1: look at it'],
  });
});
afterEach(async () => {
  await cluster.stop();
  rmSync(cwd, { recursive: true });
});

const peer = generatePeerExport(1, { events: 60, rows: 5, jobs: 1, nowSec: 1_700_000_000 });
const write = (content: string | Buffer, name = 'file'): void => writeFileSync(join(cwd, name), content);
const run = (...argv: string[]) => cluster.run(argv, { cwd });
const sent = (): unknown[] => cluster.paramsOf('add_to_import').flatMap(({ lines }) => lines as unknown[]);

const header = {
  type: 'header',
  format: 'carillon-export',
  version: 1,
  exported: 1,
  tables: {},
  active_jobs: 0,
};
const robins = Array.from({ length: 1_200 }, (_, index) => ({ type: 'robin', event: 'a', index }));
const exportText = [header, ...robins, { type: 'trailer', counts: { robin: robins.length } }]
  .map((line) => `${JSON.stringify(line)}\n`)
  .join('');

describe('import carillon', () => {
  test.each([
    ['plain', exportText],
    ['packed', gzipSync(exportText)],
  ])('sends a %s file in parts and then asks for all of it', async (_name, content) => {
    write(content);
    const { exitCode, out, err } = await run(
      'import',
      'carillon',
      'file',
      '--replace',
      '--paused',
      '--no-catch-up',
    );
    expect({ exitCode, err }).toEqual({ exitCode: 0, err: 'check: event e1: look at it\nImported.\n' });
    expect(out).toMatch(/events +3 +0 +0 +0/);
    expect(sent()).toEqual(robins);
    expect(cluster.paramsOf('add_to_import').map(({ part }) => part)).toEqual([0, 1, 2]);
    expect(cluster.paramsOf('finish_import')).toEqual([
      {
        import: 'i1',
        parts: 3,
        source: 'carillon',
        existing: 'replace',
        dry_run: false,
        paused: true,
        catch_up: false,
        partial: false,
      },
    ]);
  });

  test.each([
    ['empty', '', 'The file is empty'],
    ['cut off', exportText.slice(0, -40), /line \d+: (?:Not JSON|The file is cut off)/],
    [
      'cut off between lines',
      exportText.split('\n').slice(0, 100).join('\n'),
      'line 100: The file is cut off',
    ],
    ['of another kind', 'root:x:0:0\n', 'line 1: Not JSON'],
    ['packed and cut off', gzipSync(exportText).subarray(0, 1_000), 'The file cannot be read to its end'],
    [
      'packed garbage',
      Buffer.concat([Buffer.from([0x1f, 0x8b]), Buffer.alloc(50, 7)]),
      'The file cannot be read to its end',
    ],
    ['binary', Buffer.from([0xff, 0xfe, 0x00, 0x41]), 'line 1: Not UTF-8 text'],
  ])('a file that is %s is refused, and nothing is sent', async (_name, content, message) => {
    write(content);
    const { exitCode, err } = await run('import', 'carillon', 'file');
    expect(exitCode).toBe(1);
    expect(err).toMatch(typeof message === 'string' ? new RegExp(message) : message);
    expect(cluster.calls).toEqual([]);
  });

  test('a file that is not there', async () => {
    const { exitCode, err } = await run('import', 'carillon', 'nowhere');
    expect({ exitCode, err }).toEqual({
      exitCode: 1,
      err: expect.stringMatching(/^error: The file cannot be read: ENOENT/),
    });
  });

  test('begins again when the primary has changed, and gives up after some times', async () => {
    write(exportText);
    let gone = 2;
    cluster.onCall = (name) => {
      if (name !== 'add_to_import') return;
      gone -= 1;
      const refusal = Object.assign(new Error(`${importGone}. Please begin again.`), { name: 'api' });
      cluster.answers.set('add_to_import', gone >= 0 ? refusal : {});
    };
    expect(await run('import', 'carillon', 'file')).toMatchObject({ exitCode: 0 });
    expect(cluster.paramsOf('begin_import')).toHaveLength(3);
    gone = 1_000;
    const { exitCode, err } = await run('import', 'carillon', 'file');
    expect({ exitCode, err }).toEqual({ exitCode: 1, err: `error: ${importGone}. Please begin again.\n` });
  });

  test('either of two rules for what is there', async () => {
    write(exportText);
    expect(await run('import', 'carillon', 'file', '--replace', '--keep-existing')).toMatchObject({
      exitCode: 2,
    });
  });
});

describe('import cronicle', () => {
  test('sends everything in the order of imports and says what to look at', async () => {
    write(gzipSync(peer.text));
    const { exitCode, err } = await run('import', 'cronicle', 'file');
    expect(exitCode).toBe(0);
    expect(err).toContain('logs of jobs: logs are not in the file');
    expect(err).toContain('its program must be on every worker that runs it: /usr/local/bin/backup');
    const types = sent().map((line) => Reflect.get(Object(line), 'type') as string);
    expect(new Set(types)).toEqual(new Set(['state', 'record', 'cursor', 'robin', 'history', 'job']));
    expect(JSON.stringify(sent())).not.toContain(peer.keys[0]?.key);
    cluster.calls.length = 0;
    await run('import', 'cronicle', 'file', '--no-jobs');
    expect(sent().filter((line) => Reflect.get(Object(line), 'type') === 'job')).toEqual([]);
    expect(sent().length).toBe(types.length - 1);
  });

  test('refuses as long as a record is lost, unless told to leave it out', async () => {
    write(peer.text.replace('/usr/local/bin/backup --quiet', 'backup | mail'));
    const refused = await run('import', 'cronicle', 'file');
    expect(refused.exitCode).toBe(1);
    expect(refused.err).toContain('Nothing was imported: 1 records cannot be taken over.');
    expect(cluster.calls).toEqual([]);
    expect(await run('import', 'cronicle', 'file', '--partial', '--json')).toMatchObject({ exitCode: 0 });
    expect(cluster.paramsOf('finish_import')).toMatchObject([{ partial: true }]);
  });

  test('tried dry it works without a cluster, too', async () => {
    write(peer.text);
    const env = { CARILLON_URL: cluster.url, CARILLON_API_KEY: cluster.key };
    await cluster.stop();
    const { exitCode, err } = await runCommand(['import', 'cronicle', 'file', '--dry-run'], { cwd, env });
    expect(exitCode).toBe(0);
    expect(err).toMatch(/Not compared with the cluster: Cannot connect/);
  });

  test.each([
    ['cut off', peer.text.slice(0, 3_000), /line \d+: |is missing/],
    ['garbage', 'x'.repeat(10_000), /^error: line 1: Not a record of the form KEY - JSON\n$/],
    ['of Carillon', exportText, /^error: line 1: Not a record/],
    ['empty', '', /^error: Not an export of Cronicle/],
  ])('a file that is %s is refused, and nothing is sent', async (_name, content, message) => {
    write(content);
    const { exitCode, err } = await run('import', 'cronicle', 'file');
    expect(exitCode).toBe(1);
    expect(err).toMatch(message);
    expect(cluster.calls).toEqual([]);
  });

  test('obstacles of a dry run make it fail', async () => {
    write(peer.text);
    const answer = {
      imported: false,
      tables: {},
      past: {},
      warnings: [],
      obstacles: ['events e1: the cluster has another one'],
    };
    cluster.answers.set('finish_import', answer);
    const { exitCode, err } = await run('import', 'cronicle', 'file', '--dry-run');
    expect(exitCode).toBe(1);
    expect(err).toContain('in the way: events e1: the cluster has another one');
  });
});

describe('limits of files', () => {
  const linesOf = async (limits: { longestLine?: number; mostText?: number }): Promise<string[]> => {
    const lines: string[] = [];
    for await (const line of readLines(join(cwd, 'file'), limits)) lines.push(line);
    return lines;
  };

  test('lines end in any way, the last one without', async () => {
    write('one\r\n\nthree');
    expect(await linesOf({})).toEqual(['one', '', 'three']);
  });

  test('a line without end and a small file with very much text are given up', async () => {
    write(gzipSync(Buffer.alloc(3_000_000, 'a')));
    await expect(linesOf({ longestLine: 1_000_000 })).rejects.toThrow(
      'line 1: The line is longer than 1000000 bytes',
    );
    await expect(linesOf({ mostText: 500_000 })).rejects.toThrow(
      'The file holds more than 500000 bytes of text',
    );
  });
});

describe('export', () => {
  const parts: { lines: unknown[]; next?: string }[] = [
    { lines: [robins[0], robins[1]], next: 'more' },
    { lines: [{ type: 'history', row: {} }] },
  ];
  beforeEach(() => {
    cluster.answers.set('begin_export', { export: 'x1', header });
    cluster.onCall = (name, count) => {
      if (name === 'read_export') cluster.answers.set('read_export', parts[(count - 1) % 2] ?? {});
    };
  });
  const expected = [
    header,
    ...parts.flatMap(({ lines }) => lines),
    { type: 'trailer', counts: { robin: 2, history: 1 } },
  ]
    .map((line) => `${JSON.stringify(line)}\n`)
    .join('');

  test('writes a file that only its owner can read, packed by its name, and replaces one that is there', async () => {
    write('old', 'a.json');
    expect(await run('export', 'a.json')).toMatchObject({ exitCode: 0, err: '3 lines written to a.json\n' });
    expect(readFileSync(join(cwd, 'a.json'), 'utf8')).toBe(expected);
    expect(statSync(join(cwd, 'a.json')).mode & 0o777).toBe(0o600);
    await run('export', 'b.gz');
    expect(gunzipSync(readFileSync(join(cwd, 'b.gz'))).toString()).toBe(expected);
  });

  test('without a file it writes to standard output', async () => {
    expect(await run('export')).toMatchObject({ exitCode: 0, out: expected });
  });

  test('that fails half-way leaves no file, and the one that was there as it was', async () => {
    write('old', 'a.json');
    cluster.onCall = (name, count) => {
      if (name !== 'read_export') return;
      cluster.answers.set(
        'read_export',
        count === 1 ? (parts[0] ?? {}) : Object.assign(new Error('There is no such export'), { name: 'api' }),
      );
    };
    const { exitCode, err } = await run('export', 'a.json');
    expect({ exitCode, err }).toEqual({ exitCode: 1, err: 'error: There is no such export\n' });
    expect(readFileSync(join(cwd, 'a.json'), 'utf8')).toBe('old');
    expect(() => statSync(join(cwd, 'a.json.part'))).toThrow();
  });

  test('to a place that cannot be written', async () => {
    const { exitCode, err } = await run('export', 'nowhere/a.json');
    expect(exitCode).toBe(1);
    expect(err).toMatch(/^error: The file cannot be written: ENOENT/);
  });

  test('without a cluster', async () => {
    const env = { CARILLON_URL: cluster.url, CARILLON_API_KEY: cluster.key };
    await cluster.stop();
    expect(await runCommand(['export', 'a.json'], { cwd, env })).toMatchObject({ exitCode: 3 });
  });
});
