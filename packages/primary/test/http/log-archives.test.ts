import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import {
  closeRedis,
  createRedis,
  DirectoryLogArchive,
  MemoryLogArchive,
  MemoryLogger,
  RedisLogArchive,
  S3LogArchive,
} from '@carillon/adapters';
import type { Clock, LogArchive } from '@carillon/core';
import {
  type PrivateRedis,
  SeededRandom,
  startPrivateRedis,
  startTestS3,
  type TestS3,
} from '@carillon/testkit';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { FakeStanding, stopAll, TestApi } from '../support/api-server.js';
import { admin, newEvent, officeOf, OfficeWorld, onDemand } from '../support/office-world.js';

let redis: PrivateRedis;
let s3: TestS3;
let directory: string | undefined;
/** Ends what the archives hold open. */
const closers: (() => unknown)[] = [];

beforeAll(async () => {
  redis = await startPrivateRedis({ listen: 'unix' });
  s3 = await startTestS3();
  directory = await mkdtemp(join(tmpdir(), 'carillon-logs-'));
});
afterAll(async () => {
  await stopAll();
  for (const close of closers) await close();
  await redis?.stop();
  await s3?.stop();
  if (directory !== undefined) await rm(directory, { recursive: true });
});

const drivers: Record<string, (clock: Clock) => Promise<LogArchive>> = {
  memory: (clock) => Promise.resolve(new MemoryLogArchive(clock)),
  redis: () => {
    const client = createRedis({ url: redis.url, log: new MemoryLogger() }, 'commands');
    closers.push(() => closeRedis(client));
    return Promise.resolve(new RedisLogArchive(client, '{test}', new SeededRandom()));
  },
  directory: (clock) => DirectoryLogArchive.open(directory ?? '', clock, new SeededRandom()),
  s3: async (clock) => {
    const place = { bucket: 'logs', prefix: 'p/', endpoint: s3.endpoint };
    const archive = await S3LogArchive.open(place, clock);
    closers.push(() => archive.close());
    return archive;
  },
};

async function* chunksOf(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += 10_000) {
    yield await Promise.resolve(bytes.subarray(start, start + 10_000));
  }
}

/** Text that does not compress well, so that large drivers show their parts. */
const longText = (): string => {
  const random = new SeededRandom(3);
  return Array.from({ length: 40_000 }, () => `${random.hex(8)}\n`).join('');
};

test.each(Object.keys(drivers))(
  'get_job_log through the %s driver: gzip passes as it is, or unpacked',
  async (name) => {
    const world = new OfficeWorld();
    const archive = (await drivers[name]?.(world.clock)) ?? world.archive;
    Object.assign(world, { archive });
    const primary = await world.primary('p1');
    const worker = await world.worker('w1', 'p1');
    await worker.work();
    const office = officeOf(primary);
    const event = await office.createEvent(newEvent(onDemand), admin);
    const job = (await office.launch({ event, overrides: {}, now: 5 })).ids[0] ?? '';
    await world.settle();
    const text = longText();
    const packed = gzipSync(text);
    await archive.put(job, chunksOf(packed), 86_400);
    await worker.settle(job);

    const digest = { sha256: (key: string) => `hash of ${key}` };
    const api = await TestApi.start({ standing: new FakeStanding('p1', office), digest });
    const path = `/api/app/get_job_log/v1?id=${job}`;
    const asGzip = await api.send(path, { key: 'bootstrap', headers: { 'Accept-Encoding': 'gzip' } });
    expect(asGzip).toMatchObject({ status: 200, headers: { 'content-encoding': 'gzip' } });
    expect(asGzip.bytes.equals(packed)).toBe(true);
    expect(gunzipSync(asGzip.bytes).toString()).toBe(text);
    const asText = await api.send(path, { key: 'bootstrap' });
    expect(asText.headers['content-encoding']).toBeUndefined();
    expect(asText.text === text).toBe(true);

    await archive.keepUntil(job, world.clock.nowMs() / 1000 - 1);
    const gone = await api.send(path, { key: 'bootstrap' });
    expect(gone.text).toContain(`No log was kept for job: ${job}`);
    await primary.stop();
  },
);
