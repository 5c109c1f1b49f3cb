import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ApiError } from '@carillon/client';
import { findConnection } from '../src/connection.js';
import { explainFailure } from '../src/failures.js';
import { FakeCluster, runCommand } from './fake-cluster.js';

let cluster: FakeCluster;
let directory: string;
beforeEach(async () => {
  cluster = await new FakeCluster().start();
  directory = mkdtempSync(join(tmpdir(), 'carillon-cli-'));
});
afterEach(async () => {
  await cluster.stop();
  rmSync(directory, { recursive: true });
});

describe('wrong usage', () => {
  test.each([
    [['statsu'], "unknown command 'statsu'", '(Did you mean status?)'],
    [['event', 'lst'], "unknown command 'lst'", '(Did you mean list?)'],
    [['event', 'list', '--jsn'], "unknown option '--jsn'", '(Did you mean --json?)'],
    [['run'], "missing required argument 'event'", 'Run with --help for usage.'],
    [['import', 'crontab'], "missing required argument 'files'", '--help'],
    [['status', '--url', 'localhost'], 'Not an http or https URL: localhost', ''],
    [['event', 'show', ' '], 'Give the id or title of an event', ''],
  ])('%j', async (argv, message, help) => {
    const { exitCode, out, err } = await runCommand(argv);
    expect({ exitCode, out }).toEqual({ exitCode: 2, out: '' });
    expect(err).toContain(message);
    expect(err).toContain(help);
  });

  test('no command prints the help and fails', async () => {
    const { exitCode, err } = await runCommand([]);
    expect(exitCode).toBe(2);
    expect(err).toContain('Usage: carillon');
    expect(err).toContain('carillon start');
  });

  test('help is no failure', async () => {
    const { exitCode, out } = await runCommand(['run', '--help']);
    expect(exitCode).toBe(0);
    expect(out).toContain('--watch');
    expect(out).toContain('--url');
    expect((await runCommand(['--version'], { version: '1.2.3' })).out).toBe('1.2.3\n');
  });
});

describe('the cluster', () => {
  test('that is not there has exit code 3 and says how to start a node', async () => {
    const { url } = cluster;
    await cluster.stop();
    const { exitCode, out, err } = await runCommand(['status'], { env: { CARILLON_URL: url } });
    expect({ exitCode, out }).toEqual({ exitCode: 3, out: '' });
    expect(err).toContain(`error: Cannot connect to ${url}: `);
    expect(err).toContain('ECONNREFUSED');
    expect(err).toContain('carillon start');
  });

  test('that wants a key says where to give it', async () => {
    const { exitCode, err } = await runCommand(['status', '--url', cluster.url], { cwd: directory });
    expect(exitCode).toBe(1);
    expect(err).toContain('error: No key\nGive an API key with --key or CARILLON_API_KEY');
    const wrong = await runCommand(['status', '--url', cluster.url, '--key', 'wrong']);
    expect(wrong.err).toBe('error: No key\n');
  });

  test.each(['--key', 'CARILLON_API_KEY'])(
    'that does not know the key of %s says whose it is',
    async (source) => {
      cluster.answers.set('status', Object.assign(new Error('Invalid API Key'), { name: 'api' }));
      const argv = ['status', '--url', cluster.url, ...(source === '--key' ? ['--key', cluster.key] : [])];
      const env = source === '--key' ? {} : { CARILLON_API_KEY: cluster.key };
      const { exitCode, err } = await runCommand(argv, { env });
      expect({ exitCode, err }).toEqual({
        exitCode: 1,
        err: `error: Invalid API Key\nThe key is that of ${source}.\n`,
      });
    },
  );

  test('that has no primary has exit code 3', () => {
    const refusal = new ApiError('unavailable', 'No node is ready.', 503);
    expect(explainFailure(refusal, { hasKey: true })).toEqual({ message: 'No node is ready.', exitCode: 3 });
  });

  test('that does not speak TLS', async () => {
    const url = cluster.url.replace('http:', 'https:');
    const { exitCode, err } = await runCommand(['status', '--url', url]);
    expect(exitCode).toBe(3);
    expect(err).toBe(`error: ${url} does not speak TLS: try http:// instead of https://\n`);
  });

  test.each([
    ['./data', undefined],
    ['CARILLON_DATA_DIR', 'elsewhere'],
  ])('of this machine is reached with the key in %s', async (_what, dataDir) => {
    mkdirSync(join(directory, dataDir ?? 'data'));
    writeFileSync(join(directory, dataDir ?? 'data', 'admin-api-key'), `${cluster.key}\n`);
    const env = dataDir === undefined ? {} : { CARILLON_DATA_DIR: dataDir };
    const { exitCode } = await runCommand(['--url', cluster.url, 'status'], { cwd: directory, env });
    expect(exitCode).toBe(0);
  });
});

describe('the connection', () => {
  const find = (options: { url?: string; key?: string; ca?: string }, env: Record<string, string> = {}) =>
    findConnection(
      { url: options.url, key: options.key, ca: options.ca },
      { stdout: { write() {} }, stderr: { write() {} }, isTTY: false, env, cwd: directory },
    );

  test('options win over the environment, that over the defaults', () => {
    const env = { CARILLON_URL: 'http://env:1', CARILLON_API_KEY: 'k-env' };
    expect(find({ url: 'http://option:1', key: 'k-option' }, env)).toEqual({
      url: 'http://option:1',
      apiKey: 'k-option',
      keySource: '--key',
    });
    expect(find({}, env)).toEqual({ url: 'http://env:1', apiKey: 'k-env', keySource: 'CARILLON_API_KEY' });
    expect(find({})).toEqual({
      url: 'http://127.0.0.1:3012',
      apiKey: undefined,
      keySource: join(directory, 'data/admin-api-key'),
    });
  });

  test('the authorities of https nodes are read from a file; one that cannot be read is named', () => {
    writeFileSync(join(directory, 'ca.pem'), 'PEM');
    writeFileSync(join(directory, 'other.pem'), 'other');
    expect(find({ ca: 'ca.pem' }, { CARILLON_CA: 'other.pem' }).ca).toBe('PEM');
    expect(find({}, { CARILLON_CA: join(directory, 'other.pem') }).ca).toBe('other');
    expect(() => find({ ca: 'none.pem' })).toThrow(/--ca or CARILLON_CA cannot be read: .*none\.pem/);
  });

  test("the key file of this machine's node is not for others", () => {
    writeFileSync(join(directory, 'admin-api-key'), 'secret\n');
    const env = { CARILLON_DATA_DIR: '.' };
    expect(find({ url: 'http://localhost:3012' }, env).apiKey).toBe('secret');
    expect(find({ url: 'http://[::1]:3012' }, env).apiKey).toBe('secret');
    expect(find({ url: 'https://example.com' }, env).apiKey).toBeUndefined();
  });
});
