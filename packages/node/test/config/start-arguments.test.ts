import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseStartArguments } from '../../src/config/index.js';
import { settingNames, settingOf } from '../../src/config/tables/settings.js';

describe('parseStartArguments', () => {
  test.each<[string[], Record<string, string>]>([
    [[], {}],
    [['--port', '3013'], { CARILLON_HTTP_PORT: '3013' }],
    [['--port=3013', '--host=0.0.0.0'], { CARILLON_HTTP_PORT: '3013', CARILLON_HTTP_HOST: '0.0.0.0' }],
    [
      ['--data-dir', './d', '--roles', 'primary', '--groups', 'a,b'],
      { CARILLON_DATA_DIR: './d', CARILLON_ROLES: 'primary', CARILLON_GROUPS: 'a,b' },
    ],
    [['--redis-url=redis://a/?x=1'], { CARILLON_REDIS_URL: 'redis://a/?x=1' }],
    // A bad value is left to the check of all settings.
    [['--port', '-1'], { CARILLON_HTTP_PORT: '-1' }],
  ])('%j', (argv, env) => {
    expect(parseStartArguments(argv)).toEqual({ kind: 'settings', env });
  });

  test.each<[string[], RegExp]>([
    [['--prot', '1'], /^Unknown option: --prot \(did you mean --port\?\)$/],
    [['--datadir=x'], /did you mean --data-dir\?/],
    [['--qqqqqqqqqqq'], /^Unknown option: --qqqqqqqqqqq$/],
    [['3013'], /^Unexpected argument: 3013$/],
    [['--port'], /^Option --port needs a value: a port from 1 to 65535$/],
    [['--port='], /needs a value/],
    [['--host', '--port', '1'], /^Option --host needs a value/],
    [['--port', '1', '--port=2'], /given twice/],
    [['--cluster-secret', 'x'], /set CARILLON_CLUSTER_SECRET$/],
    [['--bootstrap-api-key=x'], /set CARILLON_BOOTSTRAP_API_KEY$/],
    [['__proto__'], /^Unexpected argument/],
  ])('%j is refused', (argv, message) => {
    const parsed = parseStartArguments(argv);
    expect(parsed).toEqual({ kind: 'error', message: expect.stringMatching(message) });
  });

  test('help names every option and every variable', () => {
    const parsed = parseStartArguments(['--port', '1', '--help']);
    expect(parsed.kind).toBe('help');
    const text = parsed.kind === 'help' ? parsed.text : '';
    for (const name of settingNames) {
      expect(text).toContain(name);
      expect(text).toContain(settingOf(name).option ?? '');
    }
  });

  test('no input throws', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.string(), fc.constantFrom('--port', '--host=x', '--help'))),
        (argv) => {
          expect(['settings', 'help', 'error']).toContain(parseStartArguments(argv).kind);
        },
      ),
    );
  });
});
