import { chmod, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ProcessSpec } from '@carillon/core';
import { allText } from '@carillon/testkit';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { FileDetachedLauncher, NodeProcessLauncher } from '../../src/process/index.js';

/*
 * What a process that runs as another user has left of the launcher's rights. Only root can start one: elsewhere there is
 * nothing to test.
 */

const isRoot = process.getuid?.() === 0;
const nobody = { uid: 65_534, gid: 65_534 };
/** Groups of the launcher that no other user may get: those of terminals, and of logs. */
const extraGroups = [0, 4, 5];

let directory: string;
let ownGroups: number[];
beforeEach(async () => {
  directory = await realpath(await mkdtemp(join(tmpdir(), 'carillon-identity-')));
  // Others may pass through, as in the data directory of a node that runs their jobs.
  await chmod(directory, 0o711);
  ownGroups = process.getgroups?.() ?? [];
  if (isRoot) process.setgroups?.(extraGroups);
});
afterEach(async () => {
  if (isRoot) process.setgroups?.(ownGroups);
  await rm(directory, { recursive: true });
});

const script = [
  '#!/bin/sh',
  'echo "user $(id -u) group $(id -g) groups $(id -G)"',
  'for kept in environ mem maps; do',
  '  if head -c 1 "/proc/$LAUNCHER/$kept" > /dev/null 2>&1; then echo "sees $kept"; fi',
  'done',
  'kill -0 "$LAUNCHER" 2> /dev/null && echo "may signal"',
  // Between a detached program and its launcher there is a shell, which has the program's environment and no other.
  'tr "\\0" "\\n" < "/proc/$PPID/environ" 2> /dev/null | grep "^[A-Z]" | grep -v "^PATH=\\|^LAUNCHER="',
  'echo done',
].join('\n');

const spec = (more: Partial<ProcessSpec>): ProcessSpec => ({
  program: { kind: 'script', source: script },
  name: 'run',
  cwd: '/',
  env: { PATH: process.env['PATH'] ?? '', LAUNCHER: String(process.pid) },
  stdin: () => '',
  ...more,
});

async function launched(more: Partial<ProcessSpec>): Promise<string> {
  const launcher = new NodeProcessLauncher({ scriptDirectory: join(directory, 'scripts') });
  const child = await launcher.launch(spec(more));
  const text = await allText(child.stdout);
  await child.exited;
  return text;
}

async function launchedDetached(more: Partial<ProcessSpec>): Promise<string> {
  const launcher = new FileDetachedLauncher(join(directory, 'detached'));
  const child = await launcher.launch(spec(more), { run: '', checkpoint: '' });
  const text = await allText(child.stdout);
  await child.exited;
  return text;
}

const whenRoot = isRoot ? describe : describe.skip;

whenRoot.each([
  ['a process', launched],
  ['a detached process', launchedDetached],
])('%s', (_name, outputOf) => {
  test('of another user has that one group, and none of the groups of the launcher', async () => {
    expect(await outputOf(nobody)).toBe('user 65534 group 65534 groups 65534\ndone\n');
  });

  test('of another group alone has none of the others either', async () => {
    const [identity] = (await outputOf({ gid: 65_534 })).split('\n');
    expect(identity).toBe('user 0 group 65534 groups 65534');
  });

  test("of the launcher's own user keeps its groups, and can see what it has", async () => {
    const lines = (await outputOf({})).split('\n');
    expect(lines[0]).toBe('user 0 group 0 groups 0 4 5');
    expect(lines).toContain('sees environ');
  });
});
