import { describe, expect, test } from '@jest/globals';
import { CarillonError } from '@carillon/contract';
import {
  type CatalogContext,
  checkPluginParams,
  paramWarnings,
  planPluginCreation,
  planPluginDeletion,
  planPluginUpdate,
  publicPlugin,
  setupRecords,
} from '@carillon/core';
import fc from 'fast-check';
import { aKey, anEvent, apply, aPlugin, aState } from '../support/builders.js';

function context(): CatalogContext {
  return { state: aState([anEvent()]), caller: aKey({}), nowSec: 1000, newId: () => 'pnew' };
}

function refusal(run: () => unknown): [string | number, string] {
  try {
    run();
  } catch (error) {
    if (error instanceof CarillonError) return [error.code, error.message];
    throw error;
  }
  throw new Error('not refused');
}

const required = { title: 'Disk', command: '/opt/disk.py -v', params: [] };
const param = { id: 'a', type: 'text', title: 'A', value: '' };

describe('creating a plugin', () => {
  test('the least it can be', () => {
    expect(planPluginCreation(required, context())).toEqual({
      record: { ...required, id: 'pnew', enabled: 1, created: 1000, modified: 1000, api_key: 'k1' },
      warnings: [],
    });
  });

  test('everything it can be, with numbers for user and group (13 #26)', () => {
    const settings = { uid: 1000, gid: 'staff', cwd: '/var/my work', env: { LANG: 'C' }, enabled: false };
    const { record } = planPluginCreation({ ...required, ...settings, id: 'My.Disk', extra: 1 }, context());
    expect(record).toMatchObject({ ...settings, id: 'mydisk', enabled: 0 });
    expect(record).not.toHaveProperty('extra');
  });

  test.each([
    [{ ...required, command: 5 }, 'api', 'Malformed parameter: command'],
    [{ ...required, command: ' ' }, 'api', 'Malformed parameter: command'],
    [{ ...required, title: undefined }, 'api', 'Missing parameter: title'],
    [{ ...required, cwd: '/a;b' }, 'api', 'Malformed parameter value: cwd'],
    [{ ...required, uid: 'a b' }, 'api', 'Malformed parameter value: uid'],
    [{ ...required, uid: {} }, 'api', 'Malformed parameter type: uid (object)'],
    [{ ...required, env: { A: 1 } }, 'api', 'Malformed parameter value: env'],
    [{ ...required, id: 'shellplug' }, 'plugin', 'Failed to create plugin: ID already exists: shellplug'],
    [{ title: 'T', command: 'x' }, 'plugin', 'Plugin params object not present.'],
  ])('%j is refused', (fields, code, text) => {
    expect(refusal(() => planPluginCreation(fields, context()))).toEqual([code, text]);
  });

  test.each(['a | b', 'a > /tmp/x', 'a < b', 'a; b', 'a && b', 'a `b`', 'a\nb'])(
    'the command %j has a shell operator',
    (command) => {
      expect(refusal(() => planPluginCreation({ ...required, command }, context()))).toEqual([
        'plugin',
        'Plugin executable cannot contain any shell redirects or pipes.',
      ]);
    },
  );

  test.each(['/a/b.py', 'a --url "x?a=1&b=2"', "a 'b|c'", 'a \\;', 'builtin:shell', 'a $HOME'])(
    'the command %j is fine',
    (command) => {
      expect(planPluginCreation({ ...required, command }, context()).record.command).toBe(command);
    },
  );
});

describe('parameter definitions (behaviour reference 2.3)', () => {
  test.each([
    [null, 'Plugin params object not present.'],
    ['', 'Plugin params object not present.'],
    [{}, 'Plugin params is not an array.'],
    ['[]', 'Plugin params is not an array.'],
    [[null], 'Plugin Parameter is not an object.'],
    [[[]], 'Plugin Parameter is not an object.'],
    [[{ ...param, id: 'a b' }], 'Plugin Parameter ID is invalid (must be alphanumeric).'],
    [[{ ...param, id: 5 }], 'Plugin Parameter ID is invalid (must be alphanumeric).'],
    [[{ ...param, type: 'te xt' }], 'Plugin Parameter Type is invalid (must be alphanumeric): a'],
    [[{ ...param, title: '' }], 'Plugin Parameter Title is missing: a'],
    [[{ ...param, title: 5 }], 'Plugin Parameter Title is not a string: a'],
    [[{ ...param, title: '<b>' }], 'Plugin Parameter Title contains HTML metacharacters: a'],
    [[{ ...param, size: 0 }], 'Plugin Parameter size is invalid (must be a number, at least 1): a'],
    [[{ ...param, size: '5' }], 'Plugin Parameter size is invalid (must be a number, at least 1): a'],
    [[{ ...param, value: '<b>' }], 'Plugin Parameter Value contains HTML metacharacters: a'],
    [[{ ...param, value: {} }], 'Plugin Parameter Value is not a string: a'],
    [[{ ...param, value: null }], 'Plugin Parameter Value is not a string: a'],
    [[{ ...param, type: 'textarea', rows: -1 }], /^Plugin Parameter rows is invalid/],
    [[{ ...param, type: 'textarea', value: [] }], 'Plugin Parameter Value is not a string: a'],
    [[{ ...param, type: 'checkbox', value: 2 }], 'Plugin Parameter Value is invalid (must be 1 or 0): a'],
    [[{ ...param, type: 'checkbox', value: '1' }], 'Plugin Parameter Value is invalid (must be 1 or 0): a'],
    [[{ ...param, type: 'hidden', value: '<b>' }], 'Plugin Parameter Value contains HTML metacharacters: a'],
    [[{ ...param, type: 'select' }], 'Plugin Parameter Items is not a list, or is empty: a'],
    [[{ ...param, type: 'select', items: [] }], 'Plugin Parameter Items is not a list, or is empty: a'],
    [[{ ...param, type: 'select', items: [''] }], /^Plugin Parameter Items holds something/],
    [[{ ...param, type: 'select', items: ['<'] }], /^Plugin Parameter Items holds something/],
    [[param, { ...param, type: 'hidden' }], 'Plugin Parameter ID is used twice: a'],
  ])('%j is refused', (params, text) => {
    const [code, message] = refusal(() => checkPluginParams(params));
    expect(code).toBe('plugin');
    if (typeof text === 'string') expect(message).toBe(text);
    else expect(message).toMatch(text);
  });

  test.each([
    ['a number as the value of a text', { id: 'duration', type: 'text', size: 10, title: 'D', value: 60 }],
    ['a text without a size', { id: 'timeout', type: 'text', title: 'T', value: '30' }],
    ['a hidden one without a title', { id: 'secret', type: 'hidden', value: 'x' }],
    ['a textarea with markup', { id: 's', type: 'textarea', rows: 5, title: 'S', value: '<b>' }],
    ['a select', { id: 's', type: 'select', title: 'S', items: ['a', 'b'], value: 'a' }],
    ['a type of its own', { id: 's', type: 'toolset', title: 'S', data: { tools: [1] } }],
  ])('%s is accepted as it is (13 #26)', (_what, definition) => {
    expect(checkPluginParams([definition])).toEqual([definition]);
  });

  test.each([
    [true, 1],
    [false, 0],
    [undefined, 0],
    [1, 1],
  ])('a checkbox with %j is stored with %j', (value, stored) => {
    expect(checkPluginParams([{ ...param, type: 'checkbox', value }])[0]?.value).toBe(stored);
  });

  test('the plugins that ship with Carillon pass', () => {
    for (const change of setupRecords({ hostname: 'h', nowSec: 1 })) {
      if (change.type !== 'put' || change.table !== 'plugins') continue;
      expect(checkPluginParams(change.record.params)).toEqual(change.record.params);
      expect(paramWarnings(change.record.params)).toEqual([]);
    }
  });

  test('any value is accepted or refused, and what is accepted is accepted again', () => {
    const odd = fc.oneof(fc.jsonValue(), fc.constantFrom('text', 'hidden', 'select', 'a', 1, ''));
    const keys = fc.constantFrom('id', 'type', 'title', 'value', 'size', 'rows', 'items', '__proto__');
    fc.assert(
      fc.property(fc.oneof(odd, fc.array(fc.dictionary(keys, odd))), (params) => {
        let stored: unknown;
        try {
          stored = checkPluginParams(params);
        } catch (error) {
          expect(error).toBeInstanceOf(CarillonError);
          return;
        }
        expect(checkPluginParams(stored)).toEqual(stored);
      }),
    );
  });

  test.each([
    ['path', 'PATH'],
    ['Home', 'HOME'],
    ['ld_preload', 'LD_PRELOAD'],
    ['job_id', 'JOB_ID'],
  ])('%s is accepted with a warning', (id, variable) => {
    const { record, warnings } = planPluginCreation({ ...required, params: [{ ...param, id }] }, context());
    expect(record.params[0]?.id).toBe(id);
    expect(warnings).toEqual([
      `Parameter '${id}' replaces ${variable} in the environment of the jobs. Another name is safer.`,
    ]);
  });
});

describe('updating and deleting a plugin', () => {
  test('replaces what is given; without params the definitions stay', () => {
    const changes = { id: 'shellplug', enabled: 0, command: 'x', abort_jobs: 1, created: 7 };
    expect(planPluginUpdate(changes, context())).toEqual({
      record: { ...aPlugin(), enabled: 0, command: 'x', modified: 1000 },
      warnings: [],
    });
    const { record } = planPluginUpdate({ id: 'shellplug', params: [param] }, context());
    expect(record.params).toEqual([param]);
  });

  test.each([
    [{ id: 'nope' }, 'event', 'Failed to locate plugin: nope'],
    [{ id: 'shellplug', command: 'a|b' }, 'plugin', /redirects or pipes/],
    [{ id: 'shellplug', params: null }, 'plugin', /not present/],
    [{ id: 'shellplug', command: 5 }, 'api', /^Malformed parameter type: command \(number\)$/],
  ])('%j is refused', (fields, code, text) => {
    const [given, message] = refusal(() => planPluginUpdate(fields, context()));
    expect([given, message]).toEqual([code, expect.stringMatching(text)]);
  });

  test('one in use stays', () => {
    const { state } = context();
    apply(state, [{ type: 'put', table: 'plugins', seq: 9, record: aPlugin({ id: 'idle' }) }]);
    expect(planPluginDeletion('idle', state).id).toBe('idle');
    expect(refusal(() => planPluginDeletion('shellplug', state))).toEqual([
      'plugin',
      'Failed to delete plugin: Still assigned to one or more events.',
    ]);
    expect(refusal(() => planPluginDeletion('nope', state))).toEqual([
      'plugin',
      'Failed to delete plugin: Error: Item not found',
    ]);
  });

  test('others than administrators see neither hidden values nor the environment', () => {
    const shown = publicPlugin(aPlugin({ env: { TOKEN: 'x' } }));
    expect(shown).not.toHaveProperty('env');
    expect(shown.params).toMatchObject([
      { id: 'script', value: '#!/bin/sh' },
      { id: 'secret', value: '' },
    ]);
  });
});
