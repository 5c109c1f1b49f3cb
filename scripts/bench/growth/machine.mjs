import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const starts = 1_000;
const lanes = 16;

/** What this machine can do at all, from a process that does nothing else: write, start and remove a shell script. */
export async function measureRawStarts() {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'carillon-raw-'));
  const startedMs = performance.now();
  let next = 0;
  const lane = async () => {
    while (next < starts) {
      next += 1;
      const script = path.join(directory, `s${next}`);
      fs.writeFileSync(script, '#!/bin/sh\n', { mode: 0o700 });
      const child = spawn(script, [], { stdio: 'pipe', detached: true });
      child.stdout.resume();
      child.stderr.resume();
      child.stdin.on('error', () => undefined);
      child.stdin.end('{}\n');
      await once(child, 'close');
      fs.unlinkSync(script);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  const seconds = (performance.now() - startedMs) / 1000;
  fs.rmSync(directory, { recursive: true });
  return Math.round(starts / seconds);
}
