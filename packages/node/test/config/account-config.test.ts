import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultAccountSettings } from '@carillon/core';
import { afterAll, expect, test } from '@jest/globals';
import { ConfigError, describeConfig, loadConfig } from '../../src/config/index.js';

const directory = mkdtempSync(join(tmpdir(), 'carillon-accounts-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const file = join(directory, 'config.json');

function load(content: unknown) {
  writeFileSync(file, JSON.stringify(content));
  return loadConfig({ env: {}, file, systemHostname: 'box', workingDirectory: '/srv', isTerminal: false });
}

test('without any, they are those that ship', () => {
  expect(load({}).accounts).toEqual(defaultAccountSettings);
  expect(load({ User: {} }).accounts).toEqual(defaultAccountSettings);
});

test('each takes effect, and is printed', () => {
  const config = load({
    User: {
      session_expire_days: 7,
      max_failed_logins_per_hour: 3,
      max_forgot_passwords_per_hour: 0,
      self_delete: false,
      default_privileges: { run_events: 1 },
    },
  });
  expect(config.accounts).toEqual({
    sessionExpireDays: 7,
    maxFailedLoginsPerHour: 3,
    maxForgotPasswordsPerHour: 0,
    selfDelete: false,
    defaultPrivileges: { run_events: 1 },
  });
  expect(describeConfig(config)).toContain('User.session_expire_days=7\n');
});

test('settings of Cronicle that have no effect are reported, not refused', () => {
  const { warnings } = load({ User: { use_bcrypt: true, free_accounts: false } });
  expect(warnings).toContainEqual(
    `Not used by this version (in ${file}): User.free_accounts, User.use_bcrypt`,
  );
});

test.each([{ session_expire_days: 0 }, { max_failed_logins_per_hour: 'many' }, { self_delete: 2 }, 5])(
  'a bad value is named: %j',
  (value) => {
    expect(() => load({ User: value })).toThrow(ConfigError);
    expect(() => load({ User: value })).toThrow(/User \(in .*\): expected an object with/);
  },
);
