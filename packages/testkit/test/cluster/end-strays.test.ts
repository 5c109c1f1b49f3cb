import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { endStrays } from '../../src/cluster/end-strays.js';

test('what was started from a directory is ended, and nothing else', async () => {
  const [directory, neighbour] = [0, 1].map(() => mkdtempSync(join(tmpdir(), 'carillon-strays-')));
  const [stray, other] = [directory, neighbour].map((place = '') => {
    const script = join(place, 'loop');
    writeFileSync(script, '#!/bin/sh\necho up\nread -r line\n', { mode: 0o700 });
    return spawn('/bin/sh', [script]);
  });
  if (stray === undefined || other === undefined || directory === undefined) throw new Error('no process');
  await Promise.all([stray, other].map((child) => once(child.stdout, 'data')));
  const ended = once(stray, 'exit');
  endStrays(directory);
  expect(await ended).toEqual([null, 'SIGKILL']);
  expect(other.exitCode ?? other.signalCode).toBeNull();
  const gone = once(other, 'exit');
  other.stdin.end();
  await gone;
  for (const place of [directory, neighbour]) rmSync(place ?? '', { recursive: true, force: true });
});
