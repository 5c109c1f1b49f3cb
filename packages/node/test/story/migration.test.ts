import { execFile } from 'node:child_process';
import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import type { CarillonClient } from '@carillon/client';
import { generatePeerExport, isServing, type PrimaryProcess, TestCluster } from '@carillon/testkit';
import { afterEach, expect, test } from '@jest/globals';

/*
 * Whole clusters are taken over and restored, with the real program against real nodes.
 */

const program = fileURLToPath(new URL('../../bin/carillon.js', import.meta.url));

interface Ran {
  code: number;
  out: string;
  err: string;
}

/** A cluster of one primary, and the program run against it. */
class Place {
  readonly cluster: TestCluster;
  readonly node: PrimaryProcess;
  readonly client: CarillonClient;

  private constructor(cluster: TestCluster, node: PrimaryProcess) {
    this.cluster = cluster;
    this.node = node;
    this.client = cluster.client(node);
  }

  static async open(): Promise<Place> {
    const cluster = await TestCluster.start();
    const node = await cluster.primary('one');
    const place = new Place(cluster, node);
    places.push(place);
    await place.startNode();
    return place;
  }

  async startNode(): Promise<void> {
    const serving = this.node.waitForNextLine(isServing);
    this.node.start();
    await serving;
  }

  path(name: string): string {
    return join(this.cluster.directory, name);
  }

  run(...argv: string[]): Promise<Ran> {
    const env = {
      PATH: process.env['PATH'] ?? '',
      CARILLON_URL: this.node.url,
      CARILLON_API_KEY: this.cluster.apiKey,
    };
    return new Promise((resolve) => {
      execFile(process.execPath, [program, ...argv], { env, maxBuffer: 1 << 28 }, (error, out, err) => {
        const code = typeof error?.code === 'number' ? error.code : error === null ? 0 : -1;
        resolve({ code, out, err });
      });
    });
  }
}

let places: Place[] = [];

afterEach(async () => {
  await Promise.all(places.map(({ cluster }) => cluster.close()));
  places = [];
}, 60_000);

async function all<T>(rows: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const row of rows) list.push(row);
  return list;
}

const many = { offset: 0, limit: 100_000 };

/** Everything a client can ask for; activities of the import itself, and tokens for links to logs, aside. */
async function answersOf({ client }: Place, sample: readonly string[]): Promise<Record<string, unknown>> {
  const activity = await client.getActivity(many);
  const history = await client.getHistory(many);
  return {
    schedule: await client.getSchedule(many),
    categories: await client.getCategories(),
    plugins: await client.getPlugins(),
    groups: await client.getServerGroups(),
    keys: await client.getApiKeys(),
    users: await client.userAdminGetUsers(many),
    history,
    histories: await Promise.all(sample.map((id) => client.getEventHistory({ id, ...many }))),
    events: await Promise.all(sample.map((id) => client.getEvent({ id }))),
    jobs: await Promise.all(
      history.rows.slice(0, 20).map(({ id }) => client.getJobDetails({ id }).then(({ job }) => job, String)),
    ),
    activity: activity.rows.filter(({ action }) => !['import', 'export'].includes(action)),
    deliveries: await client.getDeliveries(many),
    state: await client.getMasterState(),
  };
}

const size = { events: 5_000, rows: 10_000, jobs: 500, nowSec: Math.floor(Date.now() / 1000) - 3_600 };

test('an export of Cronicle of 5,000 events and 10,000 rows is taken over whole, and goes on to another cluster', async () => {
  const peer = generatePeerExport(1, size);
  const old = await Place.open();
  const file = old.path('cronicle.txt.gz');
  await writeFile(file, gzipSync(peer.text));

  const dry = await old.run('import', 'cronicle', file, '--dry-run', '--paused');
  expect(dry.err).toContain('Dry run: nothing was changed.');
  expect((await old.client.getSchedule()).list.length).toBe(0);
  expect(dry.code).toBe(0);

  const startedMs = performance.now();
  const ran = await old.run('import', 'cronicle', file, '--paused', '--json');
  const tookMs = Math.round(performance.now() - startedMs);
  expect(ran).toMatchObject({ code: 0, err: '' });
  process.stderr.write(`import of 5,000 events and 10,000 rows: ${tookMs} ms\n`);

  const events = await all(old.client.schedule());
  expect(events.map(({ id }) => id)).toEqual(peer.eventIds);
  expect((await old.client.getHistory({ limit: 1 })).list.length).toBe(size.rows);
  for (const [event, rows] of [...peer.rowsOf].slice(0, 50)) {
    expect((await old.client.getEventHistory({ id: event })).list.length).toBe(rows);
  }
  expect((await old.client.getApiKeys()).rows.map(({ id }) => id)).toEqual(
    expect.arrayContaining(peer.keys.map(({ id }) => id)),
  );
  expect((await old.client.getPlugins()).rows.find(({ id }) => id === 'shellplug')).toMatchObject({
    command: 'builtin:shell',
  });
  // The keys of the old scheduler work.
  const asClient = await fetch(`${old.node.url}/api/app/get_schedule/v1`, {
    headers: { 'X-API-Key': peer.keys[1]?.key ?? '' },
  });
  expect(await asClient.json()).toMatchObject({ code: 0 });

  const login = await old.client.userLogin({ username: 'admin', password: 'admin' });
  expect(login.user).toMatchObject({ username: 'admin', privileges: { admin: 1 } });

  const sample = peer.eventIds.slice(0, 30);
  const before = await answersOf(old, sample);
  await old.node.stop();
  await old.startNode();
  // What memory held is what the store holds.
  expect(await answersOf(old, sample)).toEqual(before);

  const saved = old.path('export.gz');
  expect(await old.run('export', saved)).toMatchObject({ code: 0 });
  expect((await stat(saved)).mode & 0o777).toBe(0o600);
  const next = await Place.open();
  const restored = await next.run('import', 'carillon', saved);
  expect(restored).toMatchObject({ code: 0 });
  expect(await answersOf(next, sample)).toEqual(before);

  // The same again adds nothing.
  expect(await next.run('import', 'carillon', saved)).toMatchObject({ code: 0 });
  expect(await answersOf(next, sample)).toEqual(before);
}, 240_000);
