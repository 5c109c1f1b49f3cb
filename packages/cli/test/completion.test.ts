import { execFileSync } from 'node:child_process';
import { describe, expect, test } from '@jest/globals';
import { runCommand } from './fake-cluster.js';

/** What bash offers when these words are typed and the last one is to be completed. */
async function offered(...words: string[]): Promise<string[]> {
  const { out, exitCode } = await runCommand(['completion', 'bash']);
  expect(exitCode).toBe(0);
  const typed = ['carillon', ...words].map((word) => `'${word}'`).join(' ');
  const script = `${out}\nCOMP_WORDS=(${typed}); COMP_CWORD=${words.length}; _carillon; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const answer = execFileSync('bash', ['--norc', '-u', '-c', script], { encoding: 'utf8', timeout: 10_000 });
  return answer.split('\n').filter((line) => line !== '');
}

describe('bash', () => {
  test.each([
    [['st'], ['status', 'step-down', 'start']],
    [['ev'], ['event']],
    [
      ['event', 'd'],
      ['disable', 'delete'],
    ],
    [['--url', 'http://x', 'event', 'l'], ['list']],
    [['event', '--key', 'run', 'sh'], ['show']],
    [['run', 'some event', '--w'], ['--watch']],
    [['run', 'event', '--ta'], ['--target']],
    [['plugin', 'edit', 'x', '--ab'], ['--abort-jobs']],
    [['apply', 'dir', '--no'], ['--no-prune']],
    [['completion', ''], expect.arrayContaining(['bash', 'zsh', 'fish', '--json'])],
    [['history', '--fa'], ['--failed']],
  ])('%j', async (words, expected) => {
    expect(await offered(...words)).toEqual(expected);
  });

  test.each([
    [['run', 'x', '--target', '']],
    [['--url', '']],
    [['event', 'create', 'x', '--script-file', '']],
  ])('%j leaves the value to the person, or to the names of files', async (words) => {
    expect(await offered(...words)).toEqual([]);
  });
});

test.each(['zsh', 'fish'])('%s gets the same names', async (shell) => {
  const { out, exitCode } = await runCommand(['completion', shell]);
  expect(exitCode).toBe(0);
  for (const name of ['step-down', 'abort-jobs', 'no-prune', 'revoke', 'start']) expect(out).toContain(name);
});

test('another shell is wrong usage', async () => {
  const { exitCode, err } = await runCommand(['completion', 'tcsh']);
  expect(exitCode).toBe(2);
  expect(err).toContain('Allowed choices are bash, zsh, fish');
});
