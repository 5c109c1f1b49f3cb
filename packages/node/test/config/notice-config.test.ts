import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultHookTexts, defaultMailTemplates } from '@carillon/core';
import { afterAll, describe, expect, test } from '@jest/globals';
import { type Config, ConfigError, describeConfig, loadConfig } from '../../src/config/index.js';

const directory = mkdtempSync(join(tmpdir(), 'carillon-notices-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const file = join(directory, 'config.json');

function load(content: unknown): Config {
  writeFileSync(file, JSON.stringify(content));
  return loadConfig({ env: {}, file, systemHostname: 'box', workingDirectory: '/srv', isTerminal: false });
}

function problemsOf(content: unknown): readonly string[] {
  try {
    load(content);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

function template(name: string, text: string): string {
  writeFileSync(join(directory, name), text);
  return name;
}

describe('settings of web hooks and e-mails', () => {
  test('without any, they are those that ship', () => {
    expect(load({}).notices).toEqual({
      smtp: { host: 'localhost', port: 25, options: {} },
      maxEmailsPerDay: 0,
      hooks: {
        texts: defaultHookTexts,
        universal: '',
        customData: {},
        options: { follow: 0, rejectUnauthorized: true, timeoutMs: 30_000 },
        configValues: {},
      },
      mail: { from: 'admin@localhost', templates: defaultMailTemplates, onManualAbort: false },
    });
  });

  test('each takes effect', () => {
    const text = 'To: [/notify_fail]\nSubject: Mine\n\nBody';
    const config = load({
      email_from: 'Cron <cron@example.com>',
      smtp_hostname: 'mail.example',
      smtp_port: 587,
      mail_options: { secure: true, auth: { user: 'u', pass: 'p' } },
      max_emails_per_day: 9,
      email_templates: { job_fail: template('fail.txt', text) },
      universal_web_hook: 'https://all.example/ [header: X-A: b]',
      web_hook_text_templates: { job_failure: 'No: [event_title]' },
      web_hook_custom_data: { team: 'ops' },
      web_hook_custom_opts: { retries: 2, follow: true, rejectUnauthorized: false, timeout: 5000 },
      web_hook_config_keys: ['email_from', 'list_row_max', 'debug_level', 'nothing'],
      debug_level: 7,
    });
    expect(config.notices).toEqual({
      smtp: { host: 'mail.example', port: 587, options: { secure: true, auth: { user: 'u', pass: 'p' } } },
      maxEmailsPerDay: 9,
      hooks: {
        texts: { job_failure: 'No: [event_title]' },
        universal: 'https://all.example/ [header: X-A: b]',
        customData: { team: 'ops' },
        options: { retries: 2, follow: 32, rejectUnauthorized: false, timeoutMs: 5000 },
        configValues: { email_from: 'Cron <cron@example.com>', list_row_max: 10_000, debug_level: 7 },
      },
      mail: {
        from: 'Cron <cron@example.com>',
        templates: { ...defaultMailTemplates, job_fail: text },
        onManualAbort: false,
      },
    });
  });

  test.each([
    [{ email_on_manual_abort: true }, true],
    [{ Cronicle: { email_on_manual_abort: 1 } }, true],
    [{ Cronicle: { email_on_manual_abort: 1 }, email_on_manual_abort: false }, false],
    [{ Cronicle: {} }, false],
  ])('email_on_manual_abort in %j is %s', (content, expected) => {
    expect(load(content).notices.mail.onManualAbort).toBe(expected);
  });

  test.each([
    [false, 0],
    [3, 3],
    [0, 0],
  ])('follow %s follows %i redirects', (follow, redirects) => {
    expect(load({ web_hook_custom_opts: { follow } }).notices.hooks.options.follow).toBe(redirects);
  });

  test('options without effect are reported', () => {
    const { warnings } = load({ web_hook_custom_opts: { retries: 1, idleTimeout: 5, agent: 'x' } });
    expect(warnings).toEqual([
      `Not used by this version (in ${file}): web_hook_custom_opts.idleTimeout, agent`,
    ]);
  });

  test.each([
    ['email_from', 'nobody'],
    ['email_from', 'a@example.com\r\nBcc: spy@example.com'],
    ['smtp_hostname', 'mail example'],
    ['smtp_port', 0],
    ['mail_options', []],
    ['max_emails_per_day', -1],
    ['email_templates', { welcome: 'x.txt' }],
    ['email_on_manual_abort', 'yes'],
    ['Cronicle', { email_on_manual_abort: 'yes' }],
    ['universal_web_hook', 'ftp://x'],
    ['web_hook_text_templates', { job_end: 'x' }],
    ['web_hook_text_templates', { job_start: 1 }],
    ['web_hook_custom_data', 'x'],
    ['web_hook_custom_opts', { retries: -1 }],
    ['web_hook_custom_opts', { timeout: 0 }],
    ['web_hook_config_keys', [1]],
  ])('%s refuses %j and says what it expects', (name, value) => {
    const problems = problemsOf({ [name]: value });
    expect(problems).toHaveLength(1);
    expect(problems[0]?.startsWith(`${name} (in ${file}): expected `)).toBe(true);
  });

  test('templates that are missing or unfit are named', () => {
    const paths = { job_fail: 'no.txt', event_error: template('bad.txt', 'Subject: only\n\nx') };
    expect(problemsOf({ email_templates: paths })).toEqual([
      expect.stringMatching(/^email_templates\.job_fail \(in .*\): cannot read the file .*no\.txt: .*ENOENT/),
      `email_templates.event_error (in ${file}): ${join(directory, 'bad.txt')} is no template: it has no \`To:\` line at its start`,
    ]);
  });

  test.each(['secret_key', 'mail_options', 'universal_web_hook', 'job_env'])(
    '%s is sent to nobody',
    (name) => {
      expect(problemsOf({ web_hook_config_keys: [name] })).toEqual([
        `web_hook_config_keys (in ${file}): ${name} may hold secrets and is sent to nobody`,
      ]);
    },
  );
});

describe('secrets', () => {
  test('are not printed', () => {
    const text = describeConfig(
      load({
        mail_options: { auth: { user: 'u', pass: 'hunter2' } },
        universal_web_hook: 'https://u:hunter2@all.example/x?key=hunter2 [header: Authorization: hunter2]',
        web_hook_custom_data: { token: 'hunter2' },
      }),
    );
    expect(text).not.toContain('hunter2');
    expect(text).toContain('\nuniversal_web_hook=https://all.example/x\n');
    expect(text).toContain('\nmail_options=auth=********\n');
    expect(text).toContain('\nweb_hook_custom_data=token=********\n');
  });

  test.each([
    ['universal_web_hook', 'htp://hunter2'],
    ['mail_options', ['hunter2']],
    ['web_hook_custom_data', 'hunter2'],
  ])('in a bad value of %s are not repeated', (name, value) => {
    expect(problemsOf({ [name]: value }).join()).not.toContain('hunter2');
  });
});
