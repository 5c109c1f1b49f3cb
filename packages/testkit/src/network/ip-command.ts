import { spawnSync } from 'node:child_process';

/** Where the program is for root, whose PATH may lack it. */
const path = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`;

/** Runs `ip` with these arguments. Throws with its message when it fails; the call blocks for some milliseconds. */
export function ip(...args: readonly string[]): string {
  const { status, stdout, stderr, error } = runIp(args);
  if (error !== undefined || status !== 0)
    throw new Error(`ip ${args.join(' ')}: ${(error?.message ?? stderr).trim()}`);
  return stdout;
}

/** The same for several commands in one namespace, one after the other; the first that fails ends it. */
export function ipWithin(namespace: string, commands: readonly string[]): void {
  const { status, stderr, error } = runIp(['-n', namespace, '-batch', '-'], commands.join('\n'));
  if (error !== undefined || status !== 0)
    throw new Error(`ip in ${namespace}: ${(error?.message ?? stderr).trim()}`);
}

function runIp(args: readonly string[], input = '') {
  return spawnSync('ip', args, { encoding: 'utf8', input, env: { PATH: path }, timeout: 20_000 });
}
