import { defaultHookTexts } from '@carillon/core';
import { WebHook } from '@carillon/contract';
import { Type } from '@carillon/contract';
import type { PeerSetting } from './peer-settings.js';

const switchValue = Type.Union([Type.Boolean(), Type.Literal(0), Type.Literal(1)]);
const text = Type.Optional(Type.String({ maxLength: 65_536 }));
const path = Type.Optional(Type.String({ minLength: 1, maxLength: 4096, pattern: '^[^\\0]*$' }));
const anything = Type.Record(Type.String(), Type.Unknown());

/** Cronicle's settings for web hooks and e-mails (behaviour reference 7, 11.1). */
export const noticeSettings = {
  email_from: {
    schema: Type.String({ pattern: '^[^\\r\\n]*[^\\r\\n\\s]@[^\\r\\n\\s][^\\r\\n]*$', maxLength: 1024 }),
    expects: 'an e-mail address',
    preset: 'admin@localhost',
    about: 'Sender of e-mails, where a template has no `From:`.',
  },
  smtp_hostname: {
    schema: Type.String({ pattern: '^[\\w\\-.:]+$', maxLength: 255 }),
    expects: 'a host name or an address',
    preset: 'localhost',
    about: 'Server that e-mails are handed to.',
  },
  smtp_port: {
    schema: Type.Integer({ minimum: 1, maximum: 65_535 }),
    expects: 'a port from 1 to 65535',
    preset: 25,
    about: 'Its port.',
  },
  mail_options: {
    schema: anything,
    expects: "an object of nodemailer's transport options",
    preset: {},
    about: 'Further options of the connection, such as `secure`, `auth`, `tls` or `sendmail`.',
    secret: true,
  },
  max_emails_per_day: {
    schema: Type.Integer({ minimum: 0, maximum: 1_000_000_000 }),
    expects: 'a whole number from 0 to 1000000000',
    preset: 0,
    about: 'Most e-mails a day; 0 = no limit. Each one that is not sent is told in the activity log.',
  },
  email_templates: {
    schema: Type.Object(
      { job_success: path, job_fail: path, event_error: path },
      { additionalProperties: false },
    ),
    expects: 'an object of file paths under `job_success`, `job_fail`, `event_error`',
    preset: {},
    about: 'Own e-mails instead of those that ship; paths are relative to the file with the settings.',
  },
  email_on_manual_abort: {
    schema: switchValue,
    expects: 'true or false',
    preset: false,
    about: 'Jobs aborted by hand are told to `notify_fail` too.',
  },
  Cronicle: {
    schema: Type.Object({ email_on_manual_abort: Type.Optional(switchValue) }),
    expects: 'an object with true or false under `email_on_manual_abort`',
    preset: {},
    about: 'The old place of `email_on_manual_abort`; nothing else in it counts.',
  },
  universal_web_hook: {
    schema: WebHook,
    expects: 'an http or https URL, with suffixes such as ` [header: Name: Value]` if need be',
    preset: '',
    about: 'Gets every web hook, beside those of events and categories.',
    secret: true,
  },
  web_hook_text_templates: {
    schema: Type.Object(
      { job_start: text, job_complete: text, job_failure: text, job_launch_failure: text },
      { additionalProperties: false },
    ),
    expects: 'an object of texts under `job_start`, `job_complete`, `job_failure`, `job_launch_failure`',
    preset: defaultHookTexts,
    about: 'Texts of web hooks. When given, an occasion that has none sends no web hooks.',
  },
  web_hook_custom_data: {
    schema: anything,
    expects: 'an object',
    preset: {},
    about: 'Added to the payload of every web hook.',
    secret: true,
  },
  web_hook_custom_opts: {
    schema: Type.Object({
      retries: Type.Optional(Type.Integer({ minimum: 0, maximum: 100 })),
      follow: Type.Optional(Type.Union([Type.Boolean(), Type.Integer({ minimum: 0, maximum: 32 })])),
      rejectUnauthorized: Type.Optional(switchValue),
      timeout: Type.Optional(Type.Integer({ minimum: 1, maximum: 600_000 })),
    }),
    expects:
      'an object with `retries` (0 to 100), `follow` (true, false or a number of redirects up to 32), ' +
      '`rejectUnauthorized` (true or false) and `timeout` (milliseconds up to 600000)',
    preset: {},
    about: 'How web hooks are sent.',
  },
  web_hook_config_keys: {
    schema: Type.Array(Type.String({ minLength: 1, maxLength: 256 }), { maxItems: 256 }),
    expects: 'a list of names',
    preset: [],
    about: 'Settings of this file that are copied into the payload of every web hook.',
  },
} as const satisfies Record<string, PeerSetting>;

/** Settings that may hold credentials: their values are sent to nobody. */
export const unsendableSettings: readonly string[] = [
  'Storage',
  'User',
  'WebServer',
  'email_templates',
  'job_env',
  'mail_options',
  'secret_key',
  'universal_web_hook',
  'web_hook_custom_data',
];
