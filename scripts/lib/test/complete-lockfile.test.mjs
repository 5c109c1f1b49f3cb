import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { completeLockfile, entriesWithHosts, platformOf } from '../../complete-lockfile.mjs';

describe('completeLockfile', () => {
  const incomplete = () => ({
    packages: {
      '': {},
      'node_modules/tool': {
        version: '1.2.3',
        dev: true,
        optionalDependencies: { '@tool/linux-x64-gnu': '1.2.3', '@tool/darwin-arm64': '1.2.3' },
      },
      'node_modules/@tool/linux-x64-gnu': { version: '1.2.3', optional: true },
      'node_modules/a/node_modules/tool': {
        version: '2.0.0',
        optionalDependencies: { '@tool/linux-x64-gnu': '2.0.0' },
      },
      'node_modules/a/node_modules/@tool/linux-x64-gnu': { version: '2.0.0', optional: true },
    },
  });

  test('adds what is missing, once', () => {
    const lockfile = incomplete();
    expect(completeLockfile(lockfile)).toEqual(['node_modules/@tool/darwin-arm64']);
    expect(lockfile.packages['node_modules/@tool/darwin-arm64']).toEqual({
      version: '1.2.3',
      optional: true,
      cpu: ['arm64'],
      os: ['darwin'],
      dev: true,
    });
    expect(completeLockfile(lockfile)).toEqual([]);
  });

  test('a range that is not exact is refused', () => {
    const lockfile = { packages: { 'node_modules/b': { optionalDependencies: { 'b-linux-x64': '>=1' } } } };
    expect(() => completeLockfile(lockfile)).toThrow('b-linux-x64: cannot choose a version of >=1');
  });

  test.each([
    ['@swc/core-linux-x64-musl', { os: ['linux'], cpu: ['x64'], libc: ['musl'] }],
    ['@oxlint/binding-linux-arm-gnueabihf', { os: ['linux'], cpu: ['arm'], libc: ['glibc'] }],
    ['@oxlint/binding-android-arm-eabi', { os: ['android'], cpu: ['arm'] }],
    ['@oxlint-tsgolint/win32-x64', { os: ['win32'], cpu: ['x64'] }],
    ['@x/y-win32-x64-msvc', { os: ['win32'], cpu: ['x64'] }],
    ['@x/y-wasm32-wasi', { cpu: ['wasm32'] }],
  ])('platform of %s', (name, platform) => {
    expect(platformOf(name)).toEqual(platform);
  });

  test('a name without a platform is refused', () => {
    expect(() => platformOf('fsevents')).toThrow('fsevents: cannot tell its platform');
  });
});

test("this workspace's lock file is complete and names no host", () => {
  const lockfile = JSON.parse(readFileSync(new URL('../../../package-lock.json', import.meta.url), 'utf8'));
  expect(entriesWithHosts(lockfile)).toEqual([]);
  expect(entriesWithHosts({ packages: { x: { resolved: 'https://r.example/x.tgz' } } })).toEqual(['x']);
  expect(completeLockfile(lockfile)).toEqual([]);
});
