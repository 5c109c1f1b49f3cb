import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import {
  configReference,
  describeConfig,
  environmentExample,
  loadConfig,
  maskUrl,
  nearestName,
} from '../../src/config/index.js';
import { foreignNames, settingNames, settingOf } from '../../src/config/tables/settings.js';

const around = { systemHostname: 'box', workingDirectory: '/srv/app', isTerminal: false };

/** The `NAME=value` lines as a map. */
const valuesIn = (text: string): Map<string, string> =>
  new Map([...text.matchAll(/^(\w+)=(.*)$/gm)].map((match) => [match[1] ?? '', match[2] ?? '']));

describe('describeConfig', () => {
  test('secrets and passwords are masked', () => {
    const text = describeConfig(
      loadConfig({
        ...around,
        env: {
          CARILLON_CLUSTER_SECRET: 'correct horse battery',
          CARILLON_BOOTSTRAP_API_KEY: 'c0ffee00'.repeat(4),
          CARILLON_REDIS_URL: 'redis://user:pa55word@r.example/0',
        },
      }),
    );
    expect(text).not.toMatch(/horse|c0ffee00|pa55word/);
    expect(valuesIn(text).get('CARILLON_CLUSTER_SECRET')).toBe('********');
    expect(valuesIn(text).get('CARILLON_REDIS_URL')).toBe('redis://user:********@r.example/0');
  });

  test('what is printed means the same when it is read again', () => {
    const env = {
      CARILLON_ROLES: 'primary',
      CARILLON_HTTP_PORT: '4000',
      CARILLON_GROUPS: 'a,b',
      CARILLON_DRAIN_GRACE: '7',
      CARILLON_LEASE_TTL_MS: '900',
      CARILLON_NON_PRIMARY: 'forward',
      CARILLON_REDIS_URL: 'redis://r/1',
      CARILLON_LOG_LEVEL: 'debug',
      CARILLON_LOG_ARCHIVE: 's3://logs/a?region=r&endpoint=https://s3.example:9000',
    };
    const config = loadConfig({ ...around, env });
    const printed = [...valuesIn(describeConfig(config))].filter(([name]) => name.startsWith('CARILLON_'));
    expect(loadConfig({ ...around, env: Object.fromEntries(printed) })).toEqual(config);
  });

  test('the documented defaults are those in effect', () => {
    const shown = valuesIn(describeConfig(loadConfig({ ...around, env: {} })));
    const documented = Object.fromEntries(
      settingNames
        .map((name) => [name, settingOf(name).preset])
        .filter(([, preset]) => /^[\w./,-]+$/.test(preset ?? ' ')),
    );
    const explicit = describeConfig(loadConfig({ ...around, env: documented }));
    expect(Object.keys(documented).length).toBeGreaterThan(10);
    expect(valuesIn(explicit)).toEqual(shown);
  });

  test.each([
    [undefined, undefined],
    ['redis://r.example', 'redis://r.example'],
    ['redis://:p%40ss@r', 'redis://:********@r'],
    ['redis://u:a:b@c@r/1', 'redis://u:********@r/1'],
    ['rediss://r/0?password=x&tls=1', 'rediss://r/0?password=********&tls=1'],
    [
      'redis+sentinel://:p@s1,s2/main?sentinel_password=x',
      'redis+sentinel://:********@s1,s2/main?sentinel_password=********',
    ],
    ['/run/redis.sock', '/run/redis.sock'],
  ])('maskUrl(%s)', (url, masked) => {
    expect(maskUrl(url)).toBe(masked);
  });
});

describe('generated texts', () => {
  const fileAt = (path: string): string =>
    readFileSync(new URL(`../../../../${path}`, import.meta.url), 'utf8');

  test('docs/configuration.md is up to date (npm run docs)', () => {
    expect(fileAt('docs/configuration.md')).toBe(configReference());
  });

  test('.env.example is up to date (npm run docs)', () => {
    expect(fileAt('.env.example')).toBe(environmentExample());
  });

  test('.env.example with every line active is a good configuration', () => {
    const env = Object.fromEntries(valuesIn(environmentExample().replaceAll(/^#(?=CARILLON_)/gm, '')));
    expect(Object.keys(env).sort()).toEqual([...settingNames].sort());
    // The one file that it names is not there.
    expect(() => loadConfig({ ...around, env: { ...env, CARILLON_CONFIG: '' } })).not.toThrow();
  });

  test('compose file and Dockerfile use known settings only', () => {
    for (const path of ['docker-compose.yml', 'Dockerfile']) {
      const used = fileAt(path).match(/CARILLON_[A-Z_]+/g) ?? [];
      expect(used.length).toBeGreaterThan(0);
      const known: readonly string[] = [...settingNames, ...foreignNames];
      expect(used.filter((name) => !known.includes(name))).toEqual([]);
    }
  });
});

describe('nearestName', () => {
  const known = ['CARILLON_HTTP_PORT', 'CARILLON_HTTP_HOST', 'CARILLON_ROLES'];
  test.each([
    ['CARILLON_HTTP_PROT', 'CARILLON_HTTP_PORT'],
    ['carillon_roles', 'CARILLON_ROLES'],
    ['CARILLON_ROLE', 'CARILLON_ROLES'],
    ['ENTIRELY_DIFFERENT', undefined],
    ['', undefined],
    ['x'.repeat(1000), undefined],
  ])('%s', (typed, expected) => {
    expect(nearestName(typed, known)).toBe(expected);
  });
});
