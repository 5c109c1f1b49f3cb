import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { runForResults, testSummary } from '../run-tests.mjs';

const well = { numPassedTests: 5, numFailedTests: 0, numRuntimeErrorTestSuites: 0 };

describe('the closing line', () => {
  test.each([
    ['all well', well, true, 0, '5 passed, 0 failed'],
    ['a failed test', { ...well, numFailedTests: 2 }, false, 0, '5 passed, 2 failed'],
    ['a suite that could not run', { ...well, numRuntimeErrorTestSuites: 1 }, false, 0, '5 passed, 1 failed'],
    ['lint failed', well, true, 2, '5 passed, 2 failed'],
    ['all tests passed, bad exit', well, false, 0, '5 passed, 1 failed'],
    ['no test ran', { numPassedTests: 0 }, true, 0, '0 passed, 1 failed'],
    ['crashed', undefined, false, 0, '0 passed, 1 failed'],
  ])('%s', (_name, results, isClean, failedSteps, line) => {
    expect(testSummary(results, isClean, failedSteps)).toBe(line);
  });
});

describe('runForResults', () => {
  let directory;
  let silenced;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'carillon-run-'));
    silenced = jest.spyOn(console, 'error').mockImplementation(() => undefined);
  });
  afterEach(() => {
    silenced.mockRestore();
    rmSync(directory, { recursive: true, force: true });
  });

  const run = (program, limits = {}) => {
    const resultsFile = join(directory, 'results.json');
    const source = `const done = () => require('fs').writeFileSync(${JSON.stringify(resultsFile)}, '{"n":1}');${program}`;
    return runForResults({
      file: process.execPath,
      args: ['-e', source],
      resultsFile,
      lingerMs: 0,
      limitMs: 60_000,
      ...limits,
    });
  };

  test('a run that ends by itself', async () => {
    expect(await run('done()', { lingerMs: 60_000 })).toEqual({ results: { n: 1 }, isClean: true });
    expect(await run('done(); process.exitCode = 1', { lingerMs: 60_000 })).toEqual({
      results: { n: 1 },
      isClean: false,
    });
  });

  test('a crash before the results', async () => {
    expect(await run('process.abort()')).toEqual({ results: undefined, isClean: false });
  });

  test('a run that does not end after its results', async () => {
    expect(await run('done(); setInterval(() => {}, 1000)')).toEqual({ results: { n: 1 }, isClean: false });
    expect(silenced).toHaveBeenCalledWith(expect.stringMatching(/something that a test started still runs/));
  });

  test('a run that hangs', async () => {
    expect(await run('setInterval(() => {}, 1000)', { limitMs: 1 })).toEqual({
      results: undefined,
      isClean: false,
    });
  });

  test('a program that is not there', async () => {
    const resultsFile = join(directory, 'none');
    const ended = await runForResults({
      file: '/no/such',
      args: [],
      resultsFile,
      lingerMs: 0,
      limitMs: 60_000,
    });
    expect(ended).toEqual({ results: undefined, isClean: false });
  });
});
