import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

/** What prepare.sh and fetch-package.sh call, apart from what a test puts in front. */
const tools = [
  ...[
    'basename',
    'bash',
    'cat',
    'chmod',
    'cksum',
    'dirname',
    'env',
    'find',
    'grep',
    'id',
    'mkdir',
    'mv',
    'rm',
  ],
  ...['sed', 'sh', 'sort', 'touch'],
];

let directory;
let bin;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'carillon-fetch-'));
  bin = join(directory, 'bin');
  mkdirSync(bin);
  for (const tool of tools) {
    const places = (process.env.PATH ?? '').split(delimiter).map((place) => join(place, tool));
    symlinkSync(places.find(existsSync), join(bin, tool));
  }
  const scripts = fileURLToPath(new URL('..', import.meta.url));
  const copy = join(directory, 'checkout', 'scripts', 'lib');
  mkdirSync(copy, { recursive: true });
  for (const file of ['prepare.sh', 'fetch-package.sh']) cpSync(join(scripts, file), join(copy, file));
  program('id', 'echo 1000');
});
afterEach(() => rmSync(directory, { recursive: true }));

const program = (name, body) => {
  rmSync(join(bin, name), { force: true });
  writeFileSync(join(bin, name), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
};
const log = () =>
  existsSync(join(directory, 'calls')) ? readFileSync(join(directory, 'calls'), 'utf8') : '';

/** Runs the function of prepare.sh and then a command; nothing but `bin` is on the PATH. */
const provide = (name, then) => {
  const script = `set -euo pipefail; . '${directory}/checkout/scripts/lib/prepare.sh'; ${name}; ${then}`;
  // Bash reads its start-up files when standard input might be a connection.
  const stdio = ['ignore', 'pipe', 'pipe'];
  const run = spawnSync(join(bin, 'bash'), ['-c', script], { env: { PATH: bin }, encoding: 'utf8', stdio });
  return { status: run.status, stdout: run.stdout.trim(), stderr: run.stderr };
};

/**
 * A distribution: `contents` has, for each package, the program it holds and what it says. The packages of
 * `dependencies` follow when the first do not suffice.
 */
const distribution = (contents, dependencies) => {
  const calls = join(directory, 'calls');
  program(
    'apt-get',
    `echo "apt-get $*" >>'${calls}'
while [ "$1" != download ] && [ "$1" != update ]; do shift; done
[ "$1" = download ] || exit 100
shift
for package; do [ -f '${directory}/'"$package" ] || exit 100; echo >"$package.deb"; done`,
  );
  program(
    'dpkg',
    `package="\${2##*/}"; package="\${package%.deb}"; mkdir -p "$3/usr/bin"
sh '${directory}/'"$package" "$3/usr/bin"`,
  );
  program('dpkg-query', 'echo "install ok installed"');
  program('apt-cache', dependencies.map((name) => `echo '  Depends: ${name}'`).join('\n'));
  for (const [name, body] of Object.entries(contents)) writeFileSync(join(directory, name), body);
};
const holds = (name, body) => `printf '#!/bin/sh\\n%s\\n' '${body}' >"$1/${name}"; chmod 755 "$1/${name}"`;

describe('python3', () => {
  test('one that works is taken, and nothing is fetched', () => {
    distribution({}, []);
    program('python3', 'echo the one of the system');
    expect(provide('provide_python', 'python3')).toEqual({
      status: 0,
      stdout: 'the one of the system',
      stderr: '',
    });
    expect(log()).toBe('');
  });

  test('one that cannot load its library is replaced; parts of it are fetched though they are installed', () => {
    program('python3', 'exit 1');
    distribution(
      {
        python3: '',
        'python3-minimal': '',
        'libpython3-stdlib': '',
        'python3.11': holds('python3', 'echo fetched'),
      },
      ['python3.11', 'libc6'],
    );
    const { status, stdout } = provide('provide_python', 'python3');
    expect({ status, stdout }).toEqual({ status: 0, stdout: 'fetched' });
    expect(log()).toMatch(/ download python3\.11 ?\n$/);
    // The next time it is there.
    const calls = log();
    expect(provide('provide_python', 'python3')).toEqual({ status: 0, stdout: 'fetched', stderr: '' });
    expect(log()).toBe(calls);
  });

  test('without packages to fetch: the reason and the remedy', () => {
    expect(provide('provide_python', 'echo on')).toEqual({
      status: 1,
      stdout: '',
      stderr: `error: Python 3 is needed for the tests of examples/plugins and was not found: \
this system has no apt-get and dpkg to fetch it with
       Remedy: install Python 3.7 or newer and put python3 on the PATH; Carillon itself runs without it.
`,
    });
  });

  test('packages that cannot be had: what was tried, and nothing is left behind', () => {
    distribution({}, []);
    const { status, stderr } = provide('provide_python', 'echo on');
    expect(status).toBe(1);
    expect(stderr).toContain(
      'error: Python 3 is needed for the tests of examples/plugins and was not found: it could',
    );
    expect(log()).toMatch(/download python3 python3-minimal libpython3-stdlib\n.* update\n/);
    expect(existsSync(join(directory, 'checkout', '.cache', 'python.part'))).toBe(false);
  });
});

describe('redis-server', () => {
  test('is fetched, named to the nodes, and on the PATH', () => {
    distribution({ 'redis-server': holds('redis-server', 'echo fetched'), 'redis-tools': '' }, []);
    const { status, stdout } = provide('provide_redis', 'redis-server; echo "$CARILLON_REDIS_SERVER"');
    const fetched = join(directory, 'checkout', '.cache', 'redis', 'bin', 'redis-server');
    expect({ status, stdout }).toEqual({ status: 0, stdout: `fetched\n${fetched}` });
  });

  test.each(['redis-server', 'valkey-server'])('%s of the system is taken as it is', (name) => {
    distribution({}, []);
    program(name, 'exit 1');
    expect(provide('provide_redis', 'echo "${CARILLON_REDIS_SERVER:-none}"')).toEqual({
      status: 0,
      stdout: 'none',
      stderr: '',
    });
    expect(log()).toBe('');
  });

  test('without packages to fetch: the reason and three remedies', () => {
    const { status, stderr } = provide('provide_redis', 'echo on');
    expect(status).toBe(1);
    expect(
      stderr,
    ).toBe(`error: Redis is needed and was not found: this system has no apt-get and dpkg to fetch it with
       Remedy: install redis-server or valkey-server (6.2 or newer),
       or set CARILLON_REDIS_SERVER to the path of such a program,
       or set CARILLON_REDIS_URL to a Redis that is running.
`);
  });
});
