import { hasJoined } from '@carillon/testkit';
import { expect } from '@jest/globals';
import type { Stage } from './stage.js';

/** Two jobs whose workers cannot reach the primary: one ends meanwhile and is heard of, the other one goes on. */
export async function expectSilentJobsToEndAsTheyDo(stage: Stage): Promise<void> {
  const { faulty } = stage;
  const [ended = '', goesOn = ''] = [
    ...(await stage.run(await stage.held('ended'))),
    ...(await stage.run(await stage.held('goes-on'))),
  ];
  await stage.waitForLines('start', 2);
  await stage.seen(goesOn, ({ pid }) => pid !== undefined);
  const { process } = faulty.leader;
  const left = process.waitForNextLine(({ message }) => message === 'A worker disconnected');
  faulty.cutFromPrimaries();
  await left;
  // Results take the way through Redis.
  stage.release('ended');
  expect(await stage.codesOf([ended])).toEqual([0]);
  const back = Promise.all(
    faulty.workers.map((worker) => process.waitForNextLine(hasJoined(worker.process.name))),
  );
  faulty.mend();
  await back;
  expect((await stage.client.getJobStatus({ id: goesOn })).job.state).toBe('running');
  stage.release('goes-on');
  expect(await stage.codesOf([goesOn])).toEqual([0]);
  expect(stage.lines.filter(({ at }) => at === 'start')).toHaveLength(2);
}
