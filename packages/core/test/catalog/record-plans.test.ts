import { describe, expect, test } from '@jest/globals';
import { type ApiKeyRecord, CarillonError } from '@carillon/contract';
import {
  type CatalogContext,
  planApiKeyCreation,
  planApiKeyDeletion,
  planApiKeyUpdate,
  planCategoryCreation,
  planCategoryDeletion,
  planCategoryUpdate,
  planServerGroupCreation,
  planServerGroupDeletion,
  planServerGroupUpdate,
  publicApiKey,
} from '@carillon/core';
import fc from 'fast-check';
import { aCategory, aGroup, aKey, anEvent, apply, aState } from '../support/builders.js';

function context(more: Partial<CatalogContext> = {}): CatalogContext {
  return { state: aState([anEvent()]), caller: aKey({}), nowSec: 1000, newId: () => 'new1', ...more };
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

describe('categories', () => {
  const required = { title: 'Backups', max_children: 2 };

  test('a new one is enabled, and has the settings that are documented', () => {
    const fields = { ...required, color: '', colour: 'red', abort_jobs: 1, created: 5, api_key: 'secret' };
    expect(planCategoryCreation(fields, context())).toEqual({
      ...required,
      id: 'new1',
      enabled: 1,
      color: '',
      created: 1000,
      modified: 1000,
      api_key: 'k1',
    });
  });

  test('a user who makes one is noted', () => {
    const caller = { kind: 'user', id: 'ann', title: 'ann', privileges: {} } as const;
    expect(planCategoryCreation(required, context({ caller }))).toMatchObject({ username: 'ann' });
  });

  test.each([
    [true, 1],
    [1, 1],
    [false, 0],
    [0, 0],
  ])('enabled = %j is stored as %j', (enabled, stored) => {
    expect(planCategoryCreation({ ...required, enabled }, context()).enabled).toBe(stored);
  });

  test.each([
    ['Nightly Jobs!', 'nightlyjobs'],
    ['a_1', 'a_1'],
    ['--', 'new1'],
    ['', 'new1'],
  ])('the wished id %j becomes %j', (id, expected) => {
    expect(planCategoryCreation({ ...required, id }, context()).id).toBe(expected);
  });

  test.each([
    [{ max_children: 1 }, 'api', 'Missing parameter: title'],
    [{ title: 'T' }, 'api', 'Missing parameter: max_children'],
    [{ ...required, title: '<b>' }, 'api', 'Malformed title parameter: Cannot contain HTML metacharacters'],
    [{ ...required, max_children: '2' }, 'api', 'Malformed parameter: max_children'],
    [{ ...required, description: '<i>' }, 'api', 'Malformed parameter value: description'],
    [{ ...required, color: 'light blue' }, 'api', 'Malformed parameter value: color'],
    [{ ...required, web_hook: 'ftp://x' }, 'api', 'Malformed parameter value: web_hook'],
    [{ ...required, id: 5 }, 'api', 'Malformed parameter type: id (number)'],
    [{ ...required, id: 'General' }, 'category', 'Failed to create category: ID already exists: general'],
  ])('%j is refused', (fields, code, text) => {
    expect(refusal(() => planCategoryCreation(fields, context()))).toEqual([code, text]);
  });

  test('an update replaces what is given and nothing else', () => {
    const changes = { id: 'general', title: 'G', created: 5, username: 'bob', abort_jobs: 1 };
    expect(planCategoryUpdate(changes, context())).toEqual({ ...aCategory(), title: 'G', modified: 1000 });
  });

  test.each([
    [{ id: 'nope' }, 'event', 'Failed to locate category: nope'],
    [{ id: '__proto__' }, 'event', 'Failed to locate category: __proto__'],
    [{}, 'api', 'Missing parameter: id'],
    [{ id: 'general', title: '' }, 'api', 'Malformed parameter value: title'],
  ])('the update %j is refused', (fields, code, text) => {
    expect(refusal(() => planCategoryUpdate(fields, context()))).toEqual([code, text]);
  });

  test('one in use stays, with the code of the peer; an unused one may go', () => {
    const { state } = context();
    apply(state, [{ type: 'put', table: 'categories', seq: 9, record: aCategory({ id: 'idle' }) }]);
    expect(planCategoryDeletion('idle', state).id).toBe('idle');
    expect(refusal(() => planCategoryDeletion('general', state))).toEqual([
      'plugin',
      'Failed to delete category: Still in use by one or more events.',
    ]);
    expect(refusal(() => planCategoryDeletion('nope', state))).toEqual([
      'category',
      'Failed to delete category: Error: Item not found',
    ]);
  });
});

describe('server groups', () => {
  const required = { title: 'Web', regexp: '^web\\d+' };

  test('a new one', () => {
    expect(planServerGroupCreation({ ...required, master: true, more: 1 }, context())).toEqual({
      ...required,
      id: 'new1',
      master: 1,
    });
  });

  test.each([
    [{ title: 'T' }, 'api', /^Missing parameter: regexp$/],
    [{ title: 'T', regexp: ' ' }, 'api', /^Malformed parameter: regexp$/],
    [{ title: 'T', regexp: '(' }, 'group', /^Failed to create server group: Invalid regular expression/],
    [{ ...required, id: 'web' }, 'group', /^Failed to create server group: ID already exists: web$/],
  ])('%j is refused', (fields, code, text) => {
    const [given, message] = refusal(() => planServerGroupCreation(fields, context()));
    expect(given).toBe(code);
    expect(message).toMatch(text);
  });

  test('an update keeps what is not given, and refuses what does not compile', () => {
    const { state } = context();
    expect(planServerGroupUpdate({ id: 'web', title: 'W' }, state)).toEqual({ ...aGroup(), title: 'W' });
    expect(refusal(() => planServerGroupUpdate({ id: 'web', regexp: '[' }, state))[0]).toBe('group');
    expect(refusal(() => planServerGroupUpdate({ id: 'nope' }, state))).toEqual([
      'group',
      'Failed to update server group: Error: Item not found',
    ]);
  });

  test('a target stays', () => {
    const { state } = context();
    apply(state, [{ type: 'put', table: 'server_groups', seq: 9, record: aGroup({ id: 'idle' }) }]);
    expect(planServerGroupDeletion('idle', state).id).toBe('idle');
    expect(refusal(() => planServerGroupDeletion('web', state))).toEqual([
      'plugin',
      'Failed to delete server group: Still targeted by one or more events.',
    ]);
    expect(refusal(() => planServerGroupDeletion('nope', state))[0]).toBe('group');
  });

  test('whatever compiles is accepted, whatever does not is refused', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('(', ')', '[', ']', '*', '\\', 'a', '.'), minLength: 1 }),
        (regexp) => {
          let compiles = true;
          try {
            new RegExp(regexp);
          } catch {
            compiles = false;
          }
          const plan = () => planServerGroupCreation({ title: 'T', regexp }, context());
          if (compiles) expect(plan().regexp).toBe(regexp);
          else expect(refusal(plan)[0]).toBe('group');
        },
      ),
    );
  });
});

describe('API keys', () => {
  const admin: ApiKeyRecord = {
    id: 'kadmin',
    title: 'Admin',
    key_hash: 'hash-admin',
    active: 1,
    privileges: { admin: 1 },
    created: 1,
    modified: 1,
  };
  const client: ApiKeyRecord = { ...admin, id: 'kclient', key_hash: 'hash-client', privileges: {} };
  function withKeys(...keys: ApiKeyRecord[]) {
    const known = context();
    apply(
      known.state,
      keys.map((record, seq) => ({ type: 'put', table: 'api_keys', seq: seq + 1, record })),
    );
    return known;
  }

  test('a new one is active and holds the digest, never the key', () => {
    const fields = { title: 'CI', key: 'secret', privileges: { run_events: true, cat_limit: 0 } };
    const record = planApiKeyCreation(fields, 'hash-ci', context());
    expect(record).toEqual({
      id: 'new1',
      title: 'CI',
      key_hash: 'hash-ci',
      active: 1,
      privileges: { run_events: 1, cat_limit: 0 },
      created: 1000,
      modified: 1000,
    });
    expect(publicApiKey(record)).not.toHaveProperty('key_hash');
  });

  test.each([
    [{}, 'api', 'Missing parameter: title'],
    [{ title: 'T', key: 'a b' }, 'api', 'Malformed parameter value: key'],
    [{ title: 'T', privileges: { admin: 'yes' } }, 'api', 'Malformed parameter value: privileges'],
    [{ title: 'T', privileges: [1] }, 'api', 'Malformed parameter value: privileges'],
    [{ title: 'T', privileges: { 'a b': 1 } }, 'api', 'Malformed parameter value: privileges'],
    [{ title: 'T', active: 'x' }, 'api', 'Malformed parameter type: active (string)'],
  ])('%j is refused', (fields, code, text) => {
    expect(refusal(() => planApiKeyCreation(fields, 'h', context()))).toEqual([code, text]);
  });

  test('a key that is in use is refused, but a record may keep its own', () => {
    const known = withKeys(admin, client);
    expect(refusal(() => planApiKeyCreation({ title: 'T' }, 'hash-client', known))).toEqual([
      'api_key',
      'Failed to create API Key: Another API Key has the same key',
    ]);
    expect(refusal(() => planApiKeyUpdate({ id: 'kclient' }, 'hash-admin', known))[0]).toBe('api_key');
    expect(planApiKeyUpdate({ id: 'kclient' }, 'hash-client', known).key_hash).toBe('hash-client');
    expect(planApiKeyUpdate({ id: 'kclient' }, 'hash-other', known).key_hash).toBe('hash-other');
  });

  test('an update replaces privileges as a whole', () => {
    const known = withKeys(admin, { ...client, privileges: { run_events: 1 } });
    const record = planApiKeyUpdate({ id: 'kclient', privileges: { edit_events: 1 } }, undefined, known);
    expect(record).toMatchObject({ privileges: { edit_events: 1 }, title: 'Admin', modified: 1000 });
    expect(record.privileges).not.toHaveProperty('run_events');
    expect(refusal(() => planApiKeyUpdate({ id: 'nope' }, undefined, known))).toEqual([
      'api_key',
      'Failed to update API Key: Error: Item not found',
    ]);
  });

  const last = 'It is the last active key of an administrator';
  test.each([
    ['disabled', { active: 0 }],
    ['deprived of admin', { privileges: { run_events: 1 } }],
  ])('the last administrator is not %s', (_what, changes) => {
    const passive = { ...admin, id: 'kold', key_hash: 'hash-old', active: 0 as const };
    const alone = withKeys(admin, client, passive);
    expect(refusal(() => planApiKeyUpdate({ id: 'kadmin', ...changes }, undefined, alone))).toEqual([
      'api_key',
      `Failed to update API Key: ${last}`,
    ]);
    const two = withKeys(admin, { ...client, privileges: { admin: 1 } });
    expect(planApiKeyUpdate({ id: 'kadmin', ...changes }, undefined, two)).toMatchObject(changes);
  });

  test('the last administrator is not deleted; others are', () => {
    const known = withKeys(admin, client);
    expect(refusal(() => planApiKeyDeletion('kadmin', known.state))).toEqual([
      'api_key',
      `Failed to delete API Key: ${last}`,
    ]);
    expect(planApiKeyDeletion('kclient', known.state).id).toBe('kclient');
    expect(refusal(() => planApiKeyDeletion('nope', known.state))[1]).toBe(
      'Failed to delete API Key: Error: Item not found',
    );
  });
});
