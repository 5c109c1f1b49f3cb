import { describe, expect, test } from '@jest/globals';
import { notPassed, shapeRow, storyOptions, tableOf } from '../stories.mjs';

const known = ['plain', 'sentinel', 'cluster'];
const present = ['stage.ts', 'tls.test.ts', 'redis-shapes.test.ts', 'leaving.test.ts', 'leadership.test.ts'];
const options = (...args) => storyOptions(args, { known, present });

describe('options of the stories', () => {
  test('without any: all stories on every shape but the plain one, without the core that has shapes of its own', () => {
    expect(options()).toEqual({
      shapes: ['sentinel', 'cluster'],
      files: ['leadership.test.ts', 'leaving.test.ts', 'tls.test.ts'],
    });
  });

  test('shapes as given, each once, and files by a pattern', () => {
    expect(options('--redis', 'cluster,plain,cluster', '--only', '^lea')).toEqual({
      shapes: ['cluster', 'plain'],
      files: ['leadership.test.ts', 'leaving.test.ts'],
    });
  });

  test.each([
    [['--redis', 'sentinel,ring'], /--redis: .*plain,sentinel,cluster, got ring/],
    [['--redis', ''], /--redis: /],
    [['--only', '('], /--only: /],
    [['--only', 'shapes'], /--only: no file of a story matches shapes/],
    [['--rediss', 'cluster'], /--rediss/],
    [['cluster'], /cluster/],
  ])('%j is refused', (args, message) => {
    expect(() => options(...args)).toThrow(message);
  });
});

describe('a run', () => {
  const results = { numPassedTests: 4, numFailedTests: 1, numPendingTests: 2, numRuntimeErrorTestSuites: 1 };

  test('is a line of the table: what failed to run has failed', () => {
    expect(shapeRow('sentinel', results, false, 90_000)).toEqual({
      shape: 'sentinel',
      passed: 4,
      failed: 2,
      skipped: 2,
      minutes: 1.5,
    });
  });

  test.each([
    ['without results', undefined, true],
    ['without a test', { numPassedTests: 0, numPendingTests: 3 }, true],
    ['that did not end by itself', { numPassedTests: 3 }, false],
  ])('%s has failed', (_, written, isClean) => {
    expect(shapeRow('cluster', written, isClean, 0).failed).toBe(1);
  });

  test('is told with the tests that did not pass', () => {
    const assertionResults = [
      { status: 'passed', fullName: 'a' },
      { status: 'failed', fullName: 'b' },
      { status: 'pending', fullName: 'c (skipped: why)' },
    ];
    expect(notPassed({ testResults: [{ assertionResults }] })).toEqual([
      'failed: b',
      'skipped: c (skipped: why)',
    ]);
    expect(notPassed(undefined)).toEqual([]);
    const table = tableOf([{ shape: 'plain', passed: 12, failed: 0, skipped: 3, minutes: 0.5 }]);
    expect(table.split('\n').map((line) => line.trim().split(/ +/))).toEqual([
      ['shape', 'passed', 'failed', 'skipped', 'minutes'],
      ['plain', '12', '0', '3', '0.5'],
      [''],
    ]);
  });
});
