import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { link, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ExampleJobs, exampleDirectory } from './support/example-jobs.js';

const programs = ['disk-usage.py', 'rotate-backup.sh', 'check-endpoint.mjs'];
let jobs: ExampleJobs;
beforeEach(async () => {
  jobs = await ExampleJobs.open();
});
afterEach(() => jobs.close());

const aborted = { code: 1, description: 'Job Aborted: enough', abort_reason: 'enough', abort: 'manual' };

describe.each(programs)('%s', (program) => {
  test.each(['rubbish', '', '[1]', '"text"'])('input that is no job fails clearly: %j', async (input) => {
    const caller = join(jobs.directory, 'caller.sh');
    await writeFile(caller, `#!/bin/sh\nprintf '%s' "$INPUT" | "$PROGRAM"\n`, { mode: 0o755 });
    await jobs.start(caller, {}, { INPUT: input, PROGRAM: jobs.pathOf(program) });
    const { outcome } = await jobs.ended();
    expect(outcome.code).toBe(1);
    expect(outcome.description).toMatch(/^Cannot read the job from standard input: /);
  });

  test('the record in its head names this program, and parameters that it reads', () => {
    const text = readFileSync(join(exampleDirectory, program), 'utf8');
    const [head, code] = split(text, text.indexOf('By hand:'));
    const json = head.slice(head.indexOf('{'), head.lastIndexOf('}') + 1).replaceAll(/^[ #*]+/gm, '');
    const record: {
      title: string;
      enabled: number;
      command: string;
      params: { id: string; type: string }[];
    } = JSON.parse(json);
    expect(record).toMatchObject({ title: expect.any(String), enabled: 1 });
    expect(record.command).toBe(`/opt/carillon/examples/plugins/${program}`);
    expect(record.params.length).toBeGreaterThan(0);
    for (const { id, type } of record.params) {
      expect(['text', 'textarea', 'checkbox', 'hidden', 'select']).toContain(type);
      expect(code).toMatch(
        new RegExp(program.endsWith('.sh') ? `\\$\\{${id.toUpperCase()}:-` : `\\b${id}\\b`),
      );
    }
  });
});

describe('disk-usage.py', () => {
  let tree: string;
  beforeEach(async () => {
    tree = join(jobs.directory, 'tree');
    await mkdir(join(tree, 'large', 'deep'), { recursive: true });
    await writeFile(join(tree, 'large', 'deep', 'file'), Buffer.alloc(3_000_000));
    await writeFile(join(tree, 'small'), Buffer.alloc(1_000_000));
    // Neither takes space: a second name of the same file, and a way to all of the disk.
    await link(join(tree, 'small'), join(tree, 'twin'));
    await symlink('/', join(tree, 'way out'));
  });

  test('reports sizes as table, label and perf', async () => {
    const result = await jobs.run('disk-usage.py', { directory: tree, rows: '2' });
    expect(result.outcome).toEqual({ code: 0, description: `${tree} takes 4.0 MB` });
    expect(result.reported).toEqual({
      progress: 1,
      label: '4.0 MB',
      perf: {
        scale: 1000,
        perf: { list: expect.any(Number), walk: expect.any(Number) },
        counters: { files: 4, directories: 2, unreadable: 0 },
      },
      table: {
        title: 'Largest entries',
        header: ['Entry', 'Size', 'Share'],
        rows: [
          ['large', '3.0 MB', '75 %'],
          ['small', '1.0 MB', '25 %'],
        ],
        caption: `4 entries in ${tree}`,
      },
    });
    expect(await jobs.log(result)).toContain(`${tree}: 4.0 MB in 4 files, 0 entries skipped\n`);
  });

  test('warns with a code of its own when the limit is passed, and not below it', async () => {
    const over = await jobs.run('disk-usage.py', { directory: tree, limit_mb: '3.9' });
    expect(over.outcome).toEqual({
      code: 2,
      description: `${tree} takes 4.0 MB, more than the limit of 3.9 MB`,
    });
    expect(over.reported).toHaveProperty('table');
    expect((await jobs.run('disk-usage.py', { directory: tree, limit_mb: 4.1 })).outcome.code).toBe(0);
  });

  test.each([
    [{ directory: '/no/such/place' }, "Parameter directory must name a directory, not '/no/such/place'"],
    [{}, "Parameter directory must name a directory, not ''"],
    [{ directory: '/', limit_mb: 'much' }, "Parameter limit_mb must be a number of at least 0, not 'much'"],
  ])('refuses %j', async (params, description) => {
    expect((await jobs.run('disk-usage.py', params)).outcome).toEqual({ code: 1, description });
  });
});

describe('rotate-backup.sh', () => {
  let source: string;
  let destination: string;
  beforeEach(async () => {
    source = join(jobs.directory, 'my "site"');
    destination = join(jobs.directory, 'backups');
    await mkdir(source);
    await mkdir(destination);
    await writeFile(join(source, 'page'), 'text of the page');
  });

  test('packs the directory, keeps the newest archives, and leaves other files alone', async () => {
    const ours = ['my__site_-20200101T000000Z-j1.tar.gz', 'my__site_-20210101T000000Z-j1.tar.gz'];
    const foreign = ['notes', 'other-20190101T000000Z-j1.tar.gz'];
    for (const name of [...ours, ...foreign]) await writeFile(join(destination, name), '');
    const result = await jobs.run('rotate-backup.sh', { source, destination, keep: 2 });
    const archives = (await readdir(destination)).filter((name) => name.startsWith('my')).sort();
    expect(archives).toEqual([ours[1], expect.stringMatching(/^my__site_-2\d{7}T\d{6}Z-j\d+\.tar\.gz$/)]);
    expect(await readdir(destination)).toEqual(expect.arrayContaining(foreign));
    const packed = readFileSync(join(destination, archives[1]!));
    expect(gunzipSync(packed).includes('text of the page')).toBe(true);
    expect(result.outcome).toEqual({
      code: 0,
      description: `Saved ${source} as ${archives[1]} (${packed.length} bytes), removed 1`,
    });
    expect(result.reported).toEqual({
      progress: 0.8,
      label: archives[1],
      perf: expect.stringMatching(new RegExp(`^pack=\\d+&rotate=\\d+&c_bytes=${packed.length}&c_removed=1$`)),
    });
  });

  test('an abort leaves nothing unfinished, and what was there stays', async () => {
    await writeFile(join(destination, 'my__site_-20200101T000000Z-j1.tar.gz'), '');
    const programsFirst = join(jobs.directory, 'bin');
    const isPacking = join(jobs.directory, 'packing');
    execFileSync('mkfifo', [isPacking]);
    await mkdir(programsFirst);
    const tar = `#!/bin/sh\necho yes >'${isPacking}'\nexec sleep 1000\n`;
    await writeFile(join(programsFirst, 'tar'), tar, { mode: 0o755 });
    const job = await jobs.start(
      'rotate-backup.sh',
      { source, destination, keep: 1 },
      { PATH: `${programsFirst}:${process.env['PATH'] ?? ''}` },
    );
    expect(await readFile(isPacking, 'utf8')).toBe('yes\n');
    await jobs.heard(job, 0.1);
    expect((await readdir(destination)).filter((name) => name.endsWith('.part'))).toHaveLength(1);
    jobs.abort(job);
    const result = await jobs.ended();
    expect(result.outcome).toEqual(aborted);
    expect(await readdir(destination)).toEqual(['my__site_-20200101T000000Z-j1.tar.gz']);
    expect(await jobs.log(result)).toContain('Aborted: removing the unfinished archive\n');
  });

  test.each([
    [{ source: '/no/such' }, "Parameter source must name a directory, not '/no/such'"],
    [{ source: '/', destination: '' }, 'Parameter destination must name a directory'],
    [{ source: '/', keep: '0' }, "Parameter keep must be a whole number above 0, not '0'"],
    [{ source: '/', keep: '1;x' }, "Parameter keep must be a whole number above 0, not '1;x'"],
    [{ source: '/', destination: '/proc' }, 'Cannot write to /proc'],
  ])('refuses %j', async (params, description) => {
    const result = await jobs.run('rotate-backup.sh', { destination, ...params });
    expect(result.outcome).toEqual({ code: 1, description });
    expect(await readdir(destination)).toEqual([]);
  });
});

describe('check-endpoint.mjs', () => {
  const server = createServer();
  let url: string;
  /** Starts answering, or not. */
  const serve = async (listener: RequestListener): Promise<void> => {
    server.on('request', listener);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    url = `http://127.0.0.1:${port}/health?a=1&b=2`;
  };
  const answer = (status: number, body: string) =>
    serve((_request, response) => void response.writeHead(status).end(body));
  afterEach(async () => {
    server.removeAllListeners('request');
    if (!server.listening) return;
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  const document = JSON.stringify({ status: 'ok', queue: { length: 7 }, nodes: [{ name: '<b>alpha</b>' }] });

  test('hands what it found to the next event, with a report', async () => {
    await answer(200, document);
    const expectations = 'status = ok\n queue.length < 8\n\nqueue.length > 6\nnodes.0.name = <b>alpha</b>';
    const result = await jobs.run('check-endpoint.mjs', { url, expect: expectations });
    expect(result.outcome).toEqual({ code: 0, description: '4 expectations met' });
    expect(result.reported).toEqual({
      progress: 0.8,
      perf: { fetch: expect.any(Number), check: expect.any(Number) },
      chain_data: {
        url,
        status: 200,
        values: { status: 'ok', 'queue.length': 7, 'nodes.0.name': '<b>alpha</b>' },
      },
      html: {
        title: 'Expectations',
        content: expect.stringContaining('<tr><td>status = ok</td><td>"ok"</td><td>met</td></tr>'),
        caption: url.replace('&', '&#38;'),
      },
    });
    expect(JSON.stringify(result.reported['html'])).not.toContain('<b>');
  });

  test('an expectation that is not met fails the job, with the report', async () => {
    await answer(200, document);
    const result = await jobs.run('check-endpoint.mjs', {
      url,
      expect: 'status = ok\nqueue.length < 7\nnone > 1',
    });
    expect(result.outcome).toEqual({ code: 1, description: '2 of 3 expectations not met: queue.length < 7' });
    expect(result.reported).toHaveProperty('html');
    expect(await jobs.log(result)).toContain(
      'Not met: queue.length < 7; found 7\nNot met: none > 1; found nothing\n',
    );
  });

  test('the status of the answer is the code', async () => {
    await answer(503, '{}');
    const { outcome } = await jobs.run('check-endpoint.mjs', { url });
    expect(outcome).toEqual({ code: 503, description: 'HTTP 503 Service Unavailable' });
  });

  test('an abort ends the request', async () => {
    await serve(() => undefined);
    const requested = once(server, 'request');
    const job = await jobs.start('check-endpoint.mjs', { url, timeout_seconds: 1000 });
    const [request] = await requested;
    const closed = once(request.socket, 'close');
    jobs.abort(job);
    const result = await jobs.ended();
    expect(result.outcome).toEqual(aborted);
    await closed;
    expect(await jobs.log(result)).toContain('SIGTERM: giving the request up\n');
  });

  test('an answer that does not come is waited for as long as was said', async () => {
    await serve(() => undefined);
    const { outcome } = await jobs.run('check-endpoint.mjs', { url, timeout_seconds: '0.05' });
    expect(outcome).toEqual({
      code: 1,
      description: `Cannot fetch ${url}: The operation was aborted due to timeout`,
    });
  });

  test.each([
    ['no JSON', 'hello', {}, /^The answer is not JSON: /],
    ['no address', '{}', { url: 'nowhere' }, /^Parameter url must be a web address, not 'nowhere'$/],
    ['no expectation', '{}', { expect: 'status' }, /^Parameter expect: cannot read 'status'$/],
    [
      'no time',
      '{}',
      { timeout_seconds: 'x' },
      /^Parameter timeout_seconds must be a number above 0, not 'x'$/,
    ],
  ])('%s: a clear failure', async (_name, body, params, description) => {
    await answer(200, body);
    const { outcome } = await jobs.run('check-endpoint.mjs', { url, ...params });
    expect(outcome).toEqual({ code: 1, description: expect.stringMatching(description) });
  });
});

function split(text: string, at: number): [string, string] {
  expect(at).toBeGreaterThan(0);
  return [text.slice(0, at), text.slice(at)];
}
