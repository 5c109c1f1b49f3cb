import { describe, expect, test } from '@jest/globals';
import { CarillonError } from '@carillon/contract';
import { type Caller, hasPrivilege, missingScope, requirePrivilege, requireScope } from '@carillon/core';
import { aGroup, aKey, aState } from '../support/builders.js';

const user = (privileges: Record<string, unknown>): Caller => ({
  kind: 'user',
  id: 'ann',
  title: 'ann',
  privileges,
});

describe('privileges', () => {
  test.each<[Record<string, unknown>, boolean]>([
    [{ run_events: 1 }, true],
    [{ run_events: true }, true],
    [{ admin: 1 }, true],
    [{ run_events: 0 }, false],
    [{ run_events: '' }, false],
    [{ admin: 0, edit_events: 1 }, false],
    [{}, false],
    [Object.create({ run_events: 1, admin: 1 }) as Record<string, unknown>, false],
  ])('%j may run events: %s', (privileges, expected) => {
    expect(hasPrivilege(aKey(privileges), 'run_events')).toBe(expected);
  });

  test('refusals name the title of a key, never the key', () => {
    expect(() => requirePrivilege(aKey({}, 'CI'), 'run_events')).toThrow(
      new CarillonError(
        'api',
        "API Key ('CI') does not have the required privileges to perform this action (run_events).",
      ),
    );
    expect(() => requirePrivilege(user({}), 'edit_events')).toThrow(
      new CarillonError(
        'user',
        "User 'ann' does not have the required account privileges to perform this action (edit_events).",
      ),
    );
    expect(() => requirePrivilege(aKey({}, 'CI'), 'admin')).toThrow(
      new CarillonError('user', 'User is not an administrator: CI'),
    );
    expect(() => requirePrivilege(aKey({ admin: 1 }), 'delete_events')).not.toThrow();
  });

  test('codes differ for keys and users', () => {
    const codeOf = (caller: Caller): unknown => {
      try {
        requirePrivilege(caller, 'run_events');
      } catch (error) {
        return error instanceof CarillonError ? error.code : error;
      }
      return undefined;
    };
    expect([codeOf(aKey({})), codeOf(user({}))]).toEqual(['api', 'user']);
  });
});

describe('scopes (behaviour reference 2.5)', () => {
  const server = {
    id: 'n1',
    hostname: 'db1',
    ip: '',
    groups: ['label'],
    master: 0 as const,
    slots: 0,
    created: 1,
  };
  const state = aState(
    [],
    [
      { type: 'put', table: 'server_groups', seq: 2, record: aGroup({ id: 'all', regexp: '.+' }) },
      { type: 'put', table: 'server_groups', seq: 3, record: aGroup({ id: 'broken', regexp: '(' }) },
      { type: 'put', table: 'server_groups', seq: 4, record: aGroup({ id: 'webonly', regexp: '^web1$' }) },
      { type: 'put', table: 'servers', seq: 1, record: server },
    ],
  );
  const hostnames = ['web1', 'db1', 'all2'];
  const missing = (privileges: Record<string, unknown>, target = 'web', category = 'general') =>
    missingScope(aKey(privileges), { category, target }, state, hostnames);

  test.each<[Record<string, unknown>, string, string | undefined]>([
    [{}, 'web', undefined],
    [{ admin: 1, cat_limit: 1, grp_limit: 1 }, 'web', undefined],
    [{ cat_limit: 1 }, 'web', 'cat_general'],
    [{ cat_limit: 1, cat_general: 0 }, 'web', 'cat_general'],
    [{ cat_limit: 1, cat_general: 1 }, 'web', undefined],
    [{ cat_limit: 0 }, 'web', undefined],
    [{ grp_limit: 1 }, 'web', 'grp_web'],
    [{ grp_limit: 1, grp_web: 1 }, 'web', undefined],
    // A group id is never tested against the expressions of other groups.
    [{ grp_limit: 1, grp_all: 1 }, 'web', 'grp_web'],
    [{ grp_limit: 1, grp_all: 1 }, 'webonly', 'grp_webonly'],
    // A host name is.
    [{ grp_limit: 1, grp_web: 1 }, 'web1', undefined],
    [{ grp_limit: 1, grp_web: 1 }, 'WEB1', undefined],
    [{ grp_limit: 1, grp_all: 1 }, 'db1', undefined],
    [{ grp_limit: 1, grp_web: 1 }, 'db1', 'grp_db1'],
    [{ grp_limit: 1, grp_label: 1 }, 'db1', undefined],
    [{ grp_limit: 1, grp_broken: 1 }, 'web1', 'grp_web1'],
    // A server that nobody knows is in no group yet.
    [{ grp_limit: 1, grp_all: 1 }, 'unknown', 'grp_unknown'],
    // The name of a server is no privilege.
    [{ grp_limit: 1, grp_web1: 1 }, 'web1', 'grp_web1'],
    [{ cat_limit: 1, grp_limit: 1, cat_general: 1 }, 'web', 'grp_web'],
  ])('%j for %s lacks %s', (privileges, target, expected) => {
    expect(missing(privileges, target)).toBe(expected);
  });

  test('only own keys count', () => {
    const inherited = Object.create({ cat_general: 1, admin: 1 }) as Record<string, unknown>;
    inherited['cat_limit'] = 1;
    expect(missing(inherited)).toBe('cat_general');
    expect(missing({ grp_limit: 1 }, '__proto__')).toBe('grp___proto__');
  });

  test('requireScope refuses in the words of a missing privilege', () => {
    const scoped = { category: 'general', target: 'web' };
    expect(() => requireScope(aKey({ cat_limit: 1 }), scoped, state, hostnames)).toThrow(
      "API Key ('CI') does not have the required privileges to perform this action (cat_general).",
    );
    expect(() => requireScope(aKey({}), scoped, state, hostnames)).not.toThrow();
  });
});
