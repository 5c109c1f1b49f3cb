import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type FaultyNode, hasJoined } from '@carillon/testkit';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Stage } from './stage.js';

/*
 * A worker whose disk is full, on real processes: its data directory is a small file system of its own, which takes
 * root to mount.
 */

const testAsRoot = process.getuid?.() === 0 ? test : test.skip;

let stage: Stage;
let worker: FaultyNode;
let disk: string;

beforeEach(async () => {
  stage = await Stage.set({ primaries: 1, workers: 1 });
  const [only] = stage.faulty.workers;
  if (only === undefined) throw new Error('no worker');
  worker = only;
  disk = stage.faulty.cluster.dataDirectory('w1');
}, 60_000);

afterEach(async () => {
  await worker?.process.kill9();
  // Jobs may still have it as their working place.
  execFileSync('umount', ['--lazy', disk], { stdio: 'ignore' });
  await stage?.clear();
}, 60_000);

const ballast = (): string => join(disk, 'ballast');

/** Starts the worker anew, with its data on a disk of a megabyte. */
const moveToSmallDisk = async (): Promise<void> => {
  await worker.process.stop();
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'carillon-test', disk]);
  const back = stage.faulty.leader.process.waitForNextLine(hasJoined('w1'));
  worker.process.start();
  await back;
};

const fill = (): void => {
  expect(() => {
    for (const size of [65_536, 4_096, 1]) {
      try {
        for (;;) writeFileSync(ballast(), Buffer.alloc(size), { flag: 'a' });
      } catch (error) {
        if (size === 1) throw error;
      }
    }
  }).toThrow('ENOSPC');
};

testAsRoot(
  'the disk of a worker is full: jobs end once and say why, and it goes on when there is room',
  async () => {
    await moveToSmallDisk();
    const { client } = stage;
    const [held = ''] = await stage.run(await stage.held('before'));
    await stage.waitForLines('start', 1);
    fill();
    // Neither the end of its log nor its result can be written: the result goes to the primary all the same.
    stage.release('before');
    expect(await stage.codesOf([held])).toEqual([0]);
    // What it held is free now. A job whose log or script has no place is not started.
    fill();
    const refused = await stage.run(await stage.quick(), 3);
    expect(await stage.codesOf(refused)).toEqual([1, 1, 1]);
    const { description } = (await client.getJobStatus({ id: refused[0] ?? '' })).job;
    expect(description).toMatch(/no space left/i);
    expect(worker.process.isRunning).toBe(true);
    rmSync(ballast());
    const after = await stage.run(await stage.quick(), 3);
    expect(await stage.codesOf(after)).toEqual([0, 0, 0]);
    const starts = stage.lines.flatMap(({ at, job }) => (at === 'start' ? [job] : []));
    expect(starts.sort()).toEqual([held, ...after].sort());
  },
  90_000,
);

testAsRoot(
  'a job prints more than the disk holds: it goes on to its end, and says that its log is not whole',
  async () => {
    await moveToSmallDisk();
    const { client } = stage;
    const script = '#!/bin/sh\nhead -c 3000000 /dev/zero | tr "\\0" "x"\n';
    const [attached = ''] = await stage.run(await stage.quick({ params: { script } }));
    expect(await stage.codesOf([attached])).toEqual([0]);
    expect((await client.getJobStatus({ id: attached })).job).toMatchObject({
      warning: expect.stringMatching(/^The log of this job is not whole, .*no space left/i),
    });
    // The output of a detached job goes to the disk itself: its own writes fail.
    const failing = `${script}[ $? = 0 ] || exit 7\n`;
    const [detached = ''] = await stage.run(await stage.quick({ detached: 1, params: { script: failing } }));
    expect(await stage.codesOf([detached])).toEqual([7]);
    expect(await stage.codesOf(await stage.run(await stage.quick()))).toEqual([0]);
    expect((await client.getActiveJobs()).jobs).toEqual({});
  },
  90_000,
);
