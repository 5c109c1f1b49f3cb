import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { LogArchive } from '@carillon/core';
import {
  FakeClock,
  HeldBytes,
  logArchiveConformance,
  startTestS3,
  type TestS3,
  watchedCopies,
} from '@carillon/testkit';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { SystemClock } from '../../src/clock/index.js';
import { S3LogArchive } from '../../src/log-archive/index.js';

const dayS = 86_400;
const partBytes = 5 * 1024 * 1024;
let s3: TestS3;
let prefixes = 0;

beforeAll(async () => {
  s3 = await startTestS3();
});
afterAll(() => s3.stop());

const freshPlace = () => {
  prefixes += 1;
  return { bucket: 'logs', prefix: `test-${prefixes}/`, endpoint: s3.endpoint };
};

logArchiveConformance('S3LogArchive', async () => {
  const archive = await S3LogArchive.open(freshPlace(), new SystemClock());
  return { archive, close: () => Promise.resolve(archive.close()) };
});

/** An archive of its own, and what it asks of the server: `GET logs/…`, queries left out. */
async function openOne() {
  const clock = new FakeClock();
  const place = freshPlace();
  const archive = await S3LogArchive.open(place, clock);
  const start = s3.requests.length;
  const asked = () =>
    s3.requests
      .slice(start)
      .map((request) => request.replace(`/logs/${place.prefix}`, '').replace(/\?.*/, ''));
  const queries = () => s3.requests.slice(start).map((request) => request.replace(/^[^?]*\??/, ''));
  return { clock, place, archive, asked, queries };
}

async function* repeated(chunk: Uint8Array, times: number): AsyncGenerator<Uint8Array> {
  for (let n = 0; n < times; n += 1) yield await Promise.resolve(chunk);
}

async function sizeOf(archive: LogArchive, job: string): Promise<number | undefined> {
  const chunks = await archive.get(job);
  if (chunks === undefined) return undefined;
  let size = 0;
  for await (const chunk of chunks) size += chunk.byteLength;
  return size;
}

describe('requests', () => {
  test.each([0, 1, partBytes])('a log of %d bytes is one request, beside its entry', async (size) => {
    const { archive, asked } = await openOne();
    await archive.put('j1', repeated(Buffer.alloc(size, 7), 1), 90 * dayS);
    expect(asked()).toEqual(['PUT expiry/2024-02-12/j1', 'PUT logs/j1.gz']);
    expect(await sizeOf(archive, 'j1')).toBe(size);
  });

  test('a longer one is uploaded in parts of one size', async () => {
    const { archive, queries } = await openOne();
    await archive.put('j1', repeated(Buffer.alloc(1_000_000, 7), 12), dayS);
    const parts = queries().flatMap((query) => /partNumber=(\d+)/.exec(query)?.[1] ?? []);
    expect(parts).toEqual(['1', '2', '3']);
    expect(await sizeOf(archive, 'j1')).toBe(12_000_000);
  });

  test('an upload whose source fails is given up, and nothing is seen of it', async () => {
    const { archive, asked } = await openOne();
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield* repeated(Buffer.alloc(1_000_000), 12);
      throw new Error('the source failed');
    }
    await expect(archive.put('j1', failing(), dayS)).rejects.toThrow('the source failed');
    expect(asked().at(-1)).toBe('DELETE logs/j1.gz');
    expect(await archive.get('j1')).toBeUndefined();
  });

  test('a source is told to stop when the upload fails', async () => {
    const { clock, place } = await openOne();
    const archive = await S3LogArchive.open({ ...place, bucket: 'missing' }, clock);
    let stopped = false;
    async function* watched(): AsyncGenerator<Uint8Array> {
      try {
        yield* repeated(Buffer.alloc(1_000_000), 100);
      } finally {
        stopped = true;
      }
    }
    await expect(archive.put('j1', watched(), dayS)).rejects.toThrow('bucket does not exist');
    expect(stopped).toBe(true);
  });

  test('a long log passes without being held in memory', async () => {
    const { archive } = await openOne();
    const chunk = Buffer.alloc(100_000, 7);
    const held = new HeldBytes();
    await archive.put('j1', watchedCopies(chunk, 1_200, held), 600);
    expect(await sizeOf(archive, 'j1')).toBe(120_000_000);
    // The client holds a few parts of 5 MB and more on their way.
    expect(held.most).toBeLessThan(60_000_000);
  }, 60_000);
});

describe('expiry', () => {
  test('a log is gone for readers when its time is over, and swept when the day is', async () => {
    const { clock, archive, asked } = await openOne();
    await archive.put('j1', repeated(Buffer.from('x'), 1), dayS);
    await archive.put('j2', repeated(Buffer.from('x'), 1), 9 * dayS);
    clock.advance(dayS * 1000);
    expect(await archive.get('j1')).toBeUndefined();
    expect(await archive.sweep(10)).toBe(0);
    clock.advance(dayS * 1000);
    const before = asked().length;
    expect([await archive.sweep(10), await archive.sweep(10)]).toEqual([1, 0]);
    // One list, a look at the log, two removals; and one list that finds nothing.
    expect(asked().length - before).toBe(5);
    expect(await sizeOf(archive, 'j2')).toBe(1);
  });

  test('an object that others put there is shown, and never removed', async () => {
    const { clock, place, archive } = await openOne();
    const { PutObjectCommand, S3Client } = await import('@aws-sdk/client-s3');
    const client = new S3Client({ endpoint: place.endpoint, region: 'us-east-1', forcePathStyle: true });
    await client.send(
      new PutObjectCommand({ Bucket: 'logs', Key: `${place.prefix}logs/j1.gz`, Body: 'theirs' }),
    );
    client.destroy();
    await archive.keepUntil('j1', 1);
    clock.advance(9 * dayS * 1000);
    await archive.sweep(10);
    expect(await sizeOf(archive, 'j1')).toBe(6);
  });
});

test('a bucket of unknown region is refused before anything is put', async () => {
  const before = { ...process.env };
  for (const name of ['AWS_REGION', 'AWS_DEFAULT_REGION', 'AWS_PROFILE']) delete process.env[name];
  Object.assign(process.env, { AWS_CONFIG_FILE: '/nowhere/a', AWS_SHARED_CREDENTIALS_FILE: '/nowhere/b' });
  try {
    await expect(S3LogArchive.open({ bucket: 'logs', prefix: '' }, new FakeClock())).rejects.toThrow(
      'The log archive s3://logs needs a region: add ?region=… or set AWS_REGION',
    );
  } finally {
    delete process.env['AWS_CONFIG_FILE'];
    delete process.env['AWS_SHARED_CREDENTIALS_FILE'];
    Object.assign(process.env, before);
  }
});

test('the SDK is not loaded where nobody has chosen S3', async () => {
  const code = `
    import { createRequire } from 'node:module';
    await import(${JSON.stringify(new URL('../../dist/index.js', import.meta.url).href)});
    const loaded = Object.keys(createRequire(import.meta.url).cache);
    console.log(loaded.length > 0, loaded.some((file) => file.includes('client-s3')));
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', code]);
  expect(stdout.trim()).toBe('true false');
});

// The last one: the server says nothing from here on.
test('a server that does not answer is given up when its time is over', async () => {
  const { clock, archive } = await openOne();
  for (const call of [() => archive.get('j1'), () => archive.put('j1', repeated(Buffer.from('x'), 1), 60)]) {
    const reached = s3.silence();
    const refused = expect(call()).rejects.toThrow('The log archive did not answer within 15000 ms');
    await reached;
    clock.advance(15_000);
    await refused;
  }
});
