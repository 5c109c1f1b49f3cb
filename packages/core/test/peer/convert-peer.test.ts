import { createHash } from 'node:crypto';
import { checkTransferLine, convertPeer, PeerFileReader } from '@carillon/core';
import { generatePeerExport } from '@carillon/testkit';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

type Fields = Record<string, unknown>;

const list = (name: string, items: readonly unknown[]): string[] => [
  `${name} - ${JSON.stringify({ page_size: 50, first_page: 0, last_page: 0, length: items.length, type: 'list' })}`,
  `${name}/0 - ${JSON.stringify({ type: 'list_page', items })}`,
];
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

function convert(lists: Record<string, readonly unknown[]>, more: Record<string, unknown> = {}) {
  const reader = new PeerFileReader();
  for (const [name, items] of Object.entries(lists)) for (const line of list(name, items)) reader.read(line);
  for (const [key, value] of Object.entries(more)) reader.read(`${key} - ${JSON.stringify(value)}`);
  return convertPeer(reader.finish({ complete: false }), sha256);
}

const event = (fields: Fields = {}): Fields => ({
  id: 'e1',
  title: 'One',
  enabled: true,
  category: 'general',
  plugin: 'shellplug',
  target: 'allgrp',
  timing: { minutes: [0] },
  timezone: 'Europe/Berlin',
  params: {},
  max_children: 1,
  timeout: 60,
  created: 1,
  modified: 2,
  ...fields,
});
const plugin = (fields: Fields = {}): Fields => ({
  id: 'p1',
  title: 'Plugin',
  command: '/usr/bin/true',
  enabled: 1,
  params: [],
  created: 1,
  modified: 1,
  ...fields,
});
/** The one converted record, with what was said about it. */
function only(name: string, record: Fields, lists: Record<string, readonly unknown[]> = {}) {
  const { lines, findings } = convert({ ...lists, [name]: [record] });
  const table = name === 'global/schedule' ? 'events' : name.replace('global/', '');
  const found = lines.flatMap((line) =>
    line.type === 'record' && line.table === table ? [line.record] : [],
  );
  const about = findings
    .filter(({ what }) => what !== 'cursors')
    .map(({ level, text }) => `${level}: ${text}`);
  return { record: found[0] as Fields | undefined, about };
}

describe('events', () => {
  test.each([
    [
      'flags may be booleans, numbers and text',
      { enabled: '1', catch_up: true, queue: 0 },
      { enabled: 1, catch_up: 1, queue: 0 },
    ],
    [
      'numbers may be text',
      { timeout: '90', max_children: '3', retries: '2' },
      { timeout: 90, max_children: 3, retries: 2 },
    ],
    ['what others added is kept', { custom: { a: 1 } }, { custom: { a: 1 } }],
    ['on demand', { timing: 0 }, { timing: false }],
    ['a list as timing means every minute', { timing: [] }, { timing: {} }],
    [
      'numbers of the timing may be text',
      { timing: { hours: ['4'], days: null } },
      { timing: { hours: [4], days: [] } },
    ],
  ])('%s', (_name, given, expected) => {
    const { record, about } = only('global/schedule', event(given));
    expect(record).toMatchObject(expected);
    expect(about).toEqual([]);
  });

  test.each([
    [{ timing: { minutes: [61] } }, { timing: false }, /timing cannot be read/],
    [{ timezone: 'Mars/Olympus' }, { enabled: 0, timezone: '' }, /time zone is unknown: Mars/],
    [{ algo: 'fastest' }, { title: 'One' }, /algo is left out/],
    [{ web_hook: 'not a url' }, { title: 'One' }, /web_hook is left out/],
    [{ title: '<b>One</b>' }, { title: 'bOne/b' }, /title is shortened/],
  ])('%j is changed and reported', (given, expected, text) => {
    const { record, about } = only('global/schedule', event(given));
    expect(record).toMatchObject(expected);
    expect(about).toEqual([expect.stringMatching(text)]);
  });

  test.each([
    [{ id: 'not an id' }, 'id'],
    [{ target: 'all of them' }, 'target'],
    [{ category: '' }, 'category'],
  ])('%j cannot be taken over', (given, field) => {
    const { record, about } = only('global/schedule', event(given));
    expect(record).toBeUndefined();
    expect(about).toEqual([expect.stringMatching(new RegExp(`^lost: .*${field}`))]);
  });

  test('without a time zone that of the cluster counts, and somebody should know', () => {
    const { record, about } = only('global/schedule', event({ timezone: undefined }));
    expect(record).toMatchObject({ timezone: '', enabled: 1 });
    expect(about).toEqual([expect.stringMatching(/^check: it names no time zone/)]);
  });

  test('parameters that the plugin does not have go, the creator by key becomes the id of the record', () => {
    const params = [{ id: 'a', type: 'text', title: 'A' }];
    const { record } = only(
      'global/schedule',
      event({ plugin: 'p1', params: { a: 1, b: 2 }, api_key: 'secretkey' }),
      {
        'global/plugins': [plugin({ params })],
        'global/api_keys': [
          { id: 'k1', key: 'secretkey', title: 'K', active: 1, privileges: {}, created: 1, modified: 1 },
        ],
      },
    );
    expect(record).toMatchObject({ params: { a: 1 }, api_key: 'k1' });
    const unknown = only('global/schedule', event({ api_key: 'goneforgood' })).record;
    expect(unknown).not.toHaveProperty('api_key');
  });
});

describe('plugins', () => {
  test.each([
    ['bin/shell-plugin.js', 'builtin:shell', []],
    ['/opt/cronicle/bin/url-plugin.js', 'builtin:url', []],
    ['bin/test-plugin.js', 'builtin:test', []],
    ['/usr/bin/backup --all', '/usr/bin/backup --all', [/must be on every worker.*\/usr\/bin\/backup/]],
    ['bin/own.js', 'bin/own.js', [/below the directory of Cronicle: bin\/own\.js/]],
    ['python3 -m x', 'python3 -m x', [/found in the PATH/]],
  ])('%s', (command, expected, texts) => {
    const { record, about } = only('global/plugins', plugin({ command }));
    expect(record).toMatchObject({ command: expected });
    expect(about).toEqual(texts.map((text) => expect.stringMatching(text)));
  });

  test('a command for a shell cannot be taken over', () => {
    const { record, about } = only('global/plugins', plugin({ command: 'a | b' }));
    expect(record).toBeUndefined();
    expect(about).toContainEqual(expect.stringMatching(/^lost: .*pipes/));
  });

  test("what the peer's own plugins get wrong is accepted (behaviour reference 13 #26)", () => {
    const params = [
      { id: 'n', type: 'text', title: 'N', value: 60 },
      { id: 'h', type: 'hidden', value: 'x' },
      { id: 'c', type: 'checkbox', title: 'C', value: true },
    ];
    const { record, about } = only('global/plugins', plugin({ command: 'bin/test-plugin.js', params }));
    expect(record?.['params']).toEqual([params[0], params[1], { ...params[2], value: 1 }]);
    expect(about).toEqual([]);
  });
});

describe('keys and users', () => {
  const key = (fields: Fields) => ({
    title: 'K',
    active: 1,
    privileges: { admin: 1 },
    created: 1,
    modified: 1,
    ...fields,
  });

  test('of a key only the digest is kept; of two equal ones the first', () => {
    const { lines, findings } = convert({
      'global/api_keys': [key({ id: 'k1', key: 'abc' }), key({ id: 'k2', key: 'abc' }), key({ id: 'k3' })],
    });
    expect(JSON.stringify(lines)).not.toMatch(/"key":/);
    expect(lines.filter(({ type }) => type === 'record')).toEqual([
      expect.objectContaining({ record: expect.objectContaining({ id: 'k1', key_hash: sha256('abc') }) }),
    ]);
    expect(findings.filter(({ level }) => level === 'lost').map(({ what }) => what)).toEqual([
      'API key k2 (K)',
      'API key k3 (K)',
    ]);
  });

  const user = (fields: Fields) => ({
    username: 'Bob.Jones',
    full_name: 'Bob <Jones>',
    email: 'bob@example.com',
    active: 1,
    privileges: { run_events: 1 },
    password: `$2a$10$${'a'.repeat(53)}`,
    salt: 'pepper',
    created: 1,
    modified: 1,
    ...fields,
  });

  test('users keep name, hash and salt', () => {
    const { lines } = convert(
      { 'global/users': [{ username: 'Bob.Jones' }] },
      { 'users/bobjones': user({}) },
    );
    expect(lines).toContainEqual(
      expect.objectContaining({
        table: 'users',
        record: expect.objectContaining({
          id: 'bobjones',
          username: 'Bob.Jones',
          full_name: 'Bob Jones',
          password: `$2a$10$${'a'.repeat(53)}`,
          salt: 'pepper',
        }),
      }),
    );
  });

  test('a hash of an unknown kind and a missing record are reported', () => {
    const { findings } = convert(
      { 'global/users': [{ username: 'bob' }, { username: 'eve' }] },
      { 'users/bob': user({ username: 'bob', password: 'plain' }) },
    );
    expect(findings).toContainEqual(
      expect.objectContaining({ level: 'changed', what: 'user bob', text: expect.stringMatching(/new one/) }),
    );
    expect(findings).toContainEqual(expect.objectContaining({ level: 'lost', what: 'user eve' }));
  });
});

describe('the past and the state', () => {
  const row = (fields: Fields = {}): Fields => ({
    id: 'j1',
    code: '0',
    event: 'e1',
    event_title: 'One',
    category: 'general',
    plugin: 'shellplug',
    hostname: 'h',
    time_start: 100.5,
    elapsed: 2,
    perf: '',
    action: 'job_complete',
    epoch: 102,
    ...fields,
  });

  test('rows get what they need here; those of deleted jobs go', () => {
    const { lines } = convert({
      'global/schedule': [event({ target: 'web' })],
      'logs/completed': [row(), { action: 'job_delete', id: 'j0' }],
      'logs/events/e1': [row(), row({ id: 'j9' })],
    });
    expect(lines.filter(({ type }) => type === 'history')).toEqual([
      { type: 'history', row: expect.objectContaining({ id: 'j1', code: 0, target: 'web', cpu: {} }) },
    ]);
    expect(lines.filter(({ type }) => type === 'event_history')).toHaveLength(1);
  });

  test('no key, header or session of the file gets into what is taken over', () => {
    const secret = '0123456789abcdef0123456789abcdef';
    const { lines } = convert(
      {
        'global/api_keys': [{ id: 'k1', key: secret, title: 'K', active: 1, created: 1, modified: 1 }],
        'global/schedule': [event({ api_key: secret })],
        'logs/completed': [
          row({ code: 1, description: `Job Aborted: Manually aborted by API Key: ${secret} (K)` }),
        ],
        'logs/activity': [
          {
            action: 'apikey_create',
            epoch: 5,
            api_key: { id: 'k1', key: secret },
            headers: { 'x-api-key': secret },
          },
          { action: 'job_run', epoch: 4, api_key: secret, session_id: secret },
        ],
      },
      { 'jobs/j1': { ...row({ params: {}, abort_reason: `Manually aborted by API Key: ${secret} (K)` }) } },
    );
    expect(JSON.stringify(lines)).not.toContain(secret);
    expect(lines).toContainEqual({ type: 'activity', row: { action: 'job_run', epoch: 4, api_key: 'k1' } });
  });

  test('cursors of events that catch up, switch and indexes come from the state', () => {
    const { lines } = convert(
      { 'global/schedule': [event({ catch_up: 1 }), event({ id: 'e2' })] },
      { 'global/state': { enabled: 0, cursors: { e1: 1_700_000_045, e2: 5, gone: 6 }, robins: { e2: 3 } } },
    );
    expect(lines[0]).toEqual({ type: 'state', tables: ['events'], enabled: 0 });
    expect(lines.slice(3)).toEqual([
      { type: 'cursor', event: 'e1', minute: 1_700_000_040 },
      { type: 'robin', event: 'e2', index: 3 },
    ]);
  });
});

test('whatever records hold, every line that comes out is one the cluster takes', () => {
  const field = fc.oneof(fc.jsonValue(), fc.constantFrom('1', 'e1', -1, 1.5, null, [], {}));
  const names = fc.constantFrom(
    ...Object.keys({
      ...event(),
      ...plugin(),
      chain: 1,
      algo: 1,
      privileges: 1,
      key: 1,
      regexp: 1,
      username: 1,
      env: 1,
      uid: 1,
    }),
  );
  const record = fc.record({
    base: fc.constantFrom(event(), plugin(), {}),
    over: fc.dictionary(names, field, { maxKeys: 4 }),
  });
  const lists = fc.dictionary(
    fc
      .constantFrom('schedule', 'plugins', 'categories', 'server_groups', 'api_keys', 'users')
      .map((name) => `global/${name}`),
    fc.array(
      record.map(({ base, over }) => ({ ...base, ...over })),
      { maxLength: 3 },
    ),
    { minKeys: 1 },
  );
  fc.assert(
    fc.property(lists, (given) => {
      for (const line of convert(given).lines)
        expect(checkTransferLine(JSON.parse(JSON.stringify(line)))).toEqual(JSON.parse(JSON.stringify(line)));
    }),
    { numRuns: 200 },
  );
});

test('a generated export is taken over whole', () => {
  const peer = generatePeerExport(2, { events: 120, rows: 300, jobs: 10, nowSec: 1_700_000_000 });
  const reader = new PeerFileReader();
  for (const line of peer.text.split('\n')) reader.read(line);
  const { lines, findings } = convertPeer(reader.finish({ complete: true }), sha256);
  const count = (type: string) => lines.filter((line) => line.type === type).length;
  expect(
    lines.flatMap((line) => (line.type === 'record' && line.table === 'events' ? [line.record.id] : [])),
  ).toEqual(peer.eventIds);
  expect({ history: count('history'), job: count('job') }).toEqual({ history: 300, job: 10 });
  expect(findings.filter(({ level }) => level === 'lost').map(({ what }) => what)).toEqual(['logs of jobs']);
});
