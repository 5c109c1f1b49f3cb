import { existsSync, readdirSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { abandonedPlaces, homePlace, sparePlace, waitForHome } from '../../src/worker/worker-place.js';

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'carillon-place-'));
});
afterEach(() => rm(dataDir, { recursive: true }));

test('the usual place is for one worker; a spare one has an id of its own and goes when it is empty', async () => {
  const home = await homePlace(dataDir, 'n1');
  expect(home).toMatchObject({ id: 'n1', directory: join(dataDir, 'worker') });
  await expect(homePlace(dataDir, 'n1')).rejects.toThrow('in use');
  const spare = await sparePlace(dataDir, 'n1');
  expect(spare.id).toMatch(/^n1\w{6}$/);
  expect(await abandonedPlaces(dataDir)).toEqual([]);
  await spare.release();
  expect(existsSync(spare.directory)).toBe(false);
  await home.release();
  expect(existsSync(home.directory)).toBe(true);
});

test.each(['detached', 'logs', 'results'])(
  'a spare place with %s in it is found again by its id',
  async (folder) => {
    const spare = await sparePlace(dataDir, 'n1');
    await mkdir(join(spare.directory, folder));
    await writeFile(join(spare.directory, folder, 'something'), 'x');
    await spare.release();
    const [found, ...more] = await abandonedPlaces(dataDir);
    expect(found).toMatchObject({ id: spare.id, directory: spare.directory });
    expect(more).toEqual([]);
    await rm(join(spare.directory, folder, 'something'));
    await found?.release();
    expect(readdirSync(dataDir)).toEqual([]);
  },
);

test('whoever waits for the usual place gets it when it is free, unless the wait was ended', async () => {
  const home = await homePlace(dataDir, 'n1');
  let gotInVain = false;
  waitForHome(dataDir, 'n1', () => {
    gotInVain = true;
  })();
  const got = new Promise<{ id: string; release(): Promise<void> }>((resolve) => {
    waitForHome(dataDir, 'n1', resolve);
  });
  await home.release();
  const place = await got;
  expect(place.id).toBe('n1');
  expect(gotInVain).toBe(false);
  await place.release();
});
