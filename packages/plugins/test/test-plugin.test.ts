import { describe, expect, test } from '@jest/globals';
import { readTrialSettings } from '../src/trial/trial-settings.js';
import { runProgram } from './run-program.js';

const settings = (params: Record<string, unknown>, random = 0) => readTrialSettings({ params }, () => random);

describe('settings of the test plugin', () => {
  test.each([
    [undefined, 0, 60_000],
    ['', 0, 60_000],
    [5, 0, 5000],
    ['0.25', 0, 250],
    ['10-20', 0, 10_000],
    ['10-20', 0.5, 15_000],
    ['20 - 10', 0.99, 19_900],
    ['999999999999', 0, 2 ** 31 - 1],
  ])('duration %j with random %d is %d ms', (duration, random, expected) => {
    expect(settings({ duration }, random).durationMs).toBe(expected);
  });

  test.each([{ duration: 'soon' }, { duration: '-5' }, { action: 'Explode' }])('%j is refused', (params) => {
    expect(() => settings(params)).toThrow(/Malformed duration|Unknown action/);
  });

  test.each([
    [1, true],
    ['1', true],
    [true, true],
    ['0', false],
    [0, false],
    [{}, false],
  ])('checkbox %j is %s', (progress, expected) => {
    expect(settings({ progress }).progress).toBe(expected);
  });
});

describe('the test plugin as a program', () => {
  test('reports progress and succeeds with metrics', async () => {
    const { exitCode, messages, last } = await runProgram('test', {
      params: { duration: '0.4', progress: 1, action: 'Success' },
    });
    expect(exitCode).toBe(0);
    expect(last).toMatchObject({ complete: 1, code: 0, description: 'Success!' });
    expect(last['perf']).toMatch(/^scale=1&total=0\.4&/);
    expect(last['table']).toMatchObject({ title: 'Sample Job Stats', rows: expect.any(Array) });
    expect(last['html']).toMatchObject({ title: 'Sample Report', content: expect.any(String) });
    const progress = messages.slice(0, -1).map((message) => Number(message['progress']));
    expect(progress.length).toBeGreaterThan(0);
    expect(progress.every((value) => value > 0 && value <= 1)).toBe(true);
  });

  test('fails as told', async () => {
    const { exitCode, last } = await runProgram('test', { params: { duration: 0, action: 'Failure' } });
    expect(exitCode).toBe(0);
    expect(last).toMatchObject({
      complete: 1,
      code: 999,
      description: 'Simulating an error message here.  Something went wrong!',
    });
  });

  test('burns time and memory without being late', async () => {
    const { exitCode, messages } = await runProgram('test', { params: { duration: '0.5', burn: 1 } });
    expect(exitCode).toBe(0);
    expect(messages).toEqual([expect.objectContaining({ complete: 1, code: 0 })]);
  });

  test('crashes as told', async () => {
    const { exitCode, messages, log } = await runProgram('test', {
      params: { duration: 0, action: 'Crash' },
    });
    expect(exitCode).toBe(1);
    expect(messages).toEqual([]);
    expect(log).toContain('Simulating a crash.');
  });

  test.each(['', 'nonsense', '[1]', '{"params":{"duration":"soon"}}'])(
    'input %j is a clear failure',
    async (input) => {
      const { exitCode, last } = await runProgram('test', input);
      expect(exitCode).toBe(0);
      expect(last).toMatchObject({ complete: 1, code: 1 });
      expect(last['description']).toMatch(/Cannot read the job|Malformed duration/);
    },
  );
});
