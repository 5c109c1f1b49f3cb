import { expect, test } from '@jest/globals';
import { excusesOf, jobScript, readLines } from '@carillon/testkit';

const minute = 1_800_000_000;

test('missed minutes and refused launches of the activity log are excuses, other rows are none', () => {
  const refused = 'Failed to launch scheduled event: Plain: no server';
  expect(
    excusesOf([
      { action: 'warning', event: 'plain', from: minute, to: minute + 60, description: '2 launches missed' },
      { action: 'warning', from: minute, to: minute, description: 'of further events' },
      { action: 'warning', event: 'plain', epoch: minute + 2, description: refused },
      {
        action: 'warning',
        event: 'plain',
        epoch: minute + 2,
        description: 'Failed to launch chain reaction',
      },
      { action: 'job_complete', event: 'plain', from: minute, to: minute },
    ]),
  ).toEqual([
    { event: 'plain', from: minute, to: minute + 60 },
    { from: minute, to: minute },
    { event: 'plain', from: minute - 60, to: minute + 2 },
  ]);
});

test('lines of jobs are read, and nothing else is', () => {
  expect(readLines([['start', 'j1', '2', 'plain', String(minute), 'w1']])).toEqual([
    { at: 'start', job: 'j1', attempt: 2, event: 'plain', minute, host: 'w1' },
  ]);
  expect(() => readLines([['begin', 'j1', '2', 'plain', String(minute), 'w1']])).toThrow('Not a line');
  expect(() => readLines([['start', 'j1']])).toThrow('Not a line');
  expect(jobScript({ path: '/tmp/lines', lastsMs: 500, retries: 2 })).toContain('sleep 0.5');
});
