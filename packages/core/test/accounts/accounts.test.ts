import { CarillonError, type UserRecord } from '@carillon/contract';
import {
  afterFailure,
  afterRecoveryMail,
  callScopes,
  type Change,
  identify,
  isRecoveryKey,
  isUserLocked,
  liveSession,
  planOwnUpdate,
  planSession,
  planSessionsEnd,
  planUserCreation,
  planUserUpdate,
  publicUser,
  recoveryMail,
  userIdOf,
  withoutFailures,
  withoutRecoveryKey,
  withRecoveryKey,
} from '@carillon/core';
import { apiCalls } from '@carillon/contract';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { apply, aState } from '../support/builders.js';
import { noticeContext } from '../support/notices.js';

const nowSec = 1_700_000_000;
const hash = { password: '$scrypt$x', salt: '' };
const settings = { maxFailedLoginsPerHour: 5, maxForgotPasswordsPerHour: 3, sessionExpireDays: 30 };

function aUser(fields: Partial<UserRecord> = {}): UserRecord {
  const names = { id: 'ann', username: 'Ann', full_name: 'Ann Ex', email: 'ann@example.com' };
  return { ...names, active: 1, privileges: {}, ...hash, created: 1, modified: 1, ...fields };
}

const putUser = (record: UserRecord): Change => ({ type: 'put', table: 'users', seq: 1, record });

function refusal(run: () => unknown): [string | number, string] {
  try {
    run();
  } catch (error) {
    if (error instanceof CarillonError) return [error.code, error.message];
    throw error;
  }
  throw new Error('not refused');
}

describe('names', () => {
  test.each([
    ['Bob.Jones', 'bobjones'],
    ['bobjones', 'bobjones'],
    ['b-o_b', 'bo_b'],
    ['...', ''],
  ])('%s belongs to the record %j', (name, id) => {
    expect(userIdOf(name)).toBe(id);
  });
});

describe('a new user', () => {
  const context = { state: aState([], [putUser(aUser())]), nowSec, defaultPrivileges: { run_events: 1 } };
  const plan = (fields: Record<string, unknown>) =>
    planUserCreation({ username: 'Bob.Jones', password: 'geheim12', ...fields }, hash, context);

  test('is active, has the default privileges, and nothing that nobody knows', () => {
    expect(plan({ active: 0, created: 5, salt: 'x', fl_count: 9, colour: 'red' })).toEqual({
      id: 'bobjones',
      username: 'Bob.Jones',
      full_name: 'Bob.Jones',
      email: '',
      active: 1,
      privileges: { run_events: 1 },
      ...hash,
      created: nowSec,
      modified: nowSec,
    });
  });

  test('has no HTML in the name', () => {
    expect(plan({ full_name: ' <b>Bob</b> <img src=x' }).full_name).toBe('Bob img src=x');
  });

  test.each<[Record<string, unknown>, string, string]>([
    [{ username: 'a.n.n' }, 'user_exists', 'User already exists: a.n.n'],
    [{ username: '__' }, 'api', 'Malformed parameter: username'],
    [{ username: '__proto__' }, '', ''],
    [{ username: 'a b' }, 'api', 'Malformed parameter: username'],
    [{ password: 'short' }, 'api', 'Malformed parameter: password'],
    [{ email: 'nobody' }, 'api', 'Malformed parameter value: email'],
    [{ email: 'a@b\r\nBcc: c@d' }, 'api', 'Malformed parameter value: email'],
    [{ privileges: { 'a b': 1 } }, 'api', 'Malformed parameter value: privileges'],
    [{ privileges: 'admin' }, 'api', 'Malformed parameter type: privileges (string)'],
  ])('%j', (fields, code, text) => {
    if (code === '') expect(plan(fields).id).toBe('__proto__');
    else expect(refusal(() => plan(fields))).toEqual([code, text]);
  });
});

describe('a changed user', () => {
  const locked = aUser({ fl_count: 6, fl_date_code: 1, locked_until: 9, force_password_reset: 1 });

  test('has what was given, and keeps the rest', () => {
    const fields = {
      username: 'ann',
      email: 'new@example.com',
      active: false,
      password: 'ignored!',
      id: 'x',
    };
    expect(planUserUpdate(locked, fields, undefined, nowSec)).toEqual({
      ...locked,
      email: 'new@example.com',
      active: 0,
      modified: nowSec,
    });
  });

  test('privileges are replaced as a whole', () => {
    const before = aUser({ privileges: { admin: 1, run_events: 1 } });
    const fields = { username: 'ann', privileges: { edit_events: true } };
    expect(planUserUpdate(before, fields, undefined, nowSec).privileges).toEqual({ edit_events: 1 });
  });

  test('a new password, or `unlock`, lifts the lock; a new password uses up the recovery key', () => {
    const recovering = withRecoveryKey(locked, 'h', nowSec);
    const { force_password_reset: lock, recovery_hash: key } = planUserUpdate(
      recovering,
      { username: 'ann', new_password: 'geheim12' },
      { password: 'other', salt: '' },
      nowSec,
    );
    expect([lock, key]).toEqual([undefined, undefined]);
    const unlocked = planUserUpdate(locked, { username: 'ann', unlock: 1 }, undefined, nowSec);
    expect(unlocked).toEqual({ ...withoutFailures(locked), modified: nowSec });
  });

  test('users change neither their privileges nor whether they are active', () => {
    const fields = {
      username: 'ann',
      old_password: 'x',
      privileges: { admin: 1 },
      active: 0,
      full_name: 'A',
    };
    expect(planOwnUpdate(aUser(), fields, undefined, nowSec)).toEqual({
      ...aUser(),
      full_name: 'A',
      modified: nowSec,
    });
  });

  test('what is answered holds nothing made of a password or a key', () => {
    const shown = JSON.stringify(publicUser(withRecoveryKey(aUser({ salt: 'salty' }), 'keyhash', nowSec)));
    for (const secret of ['$scrypt$x', 'salty', 'keyhash', 'password', 'salt', 'recovery']) {
      expect(shown).not.toContain(secret);
    }
  });
});

describe('failed logins', () => {
  test('one more than allowed in an hour of the clock locks the account for an hour', () => {
    let user = aUser();
    for (let count = 1; count <= 5; count += 1) user = afterFailure(user, nowSec, settings);
    expect([user.fl_count, isUserLocked(user, nowSec)]).toEqual([5, false]);
    const locked = afterFailure(user, nowSec, settings);
    expect([isUserLocked(locked, nowSec + 3599), isUserLocked(locked, nowSec + 3600)]).toEqual([true, false]);
    expect(withoutFailures(locked)).toEqual(aUser());
    expect(isUserLocked(aUser({ force_password_reset: 1 }), nowSec)).toBe(true);
    expect(afterFailure(user, nowSec + 3600, settings)).toMatchObject({ fl_count: 1 });
    expect(withoutFailures(afterFailure(user, nowSec, settings))).toEqual(aUser());
  });

  test('recovery mails are counted in the same way', () => {
    let user: UserRecord | undefined = aUser();
    for (let count = 1; count <= 3; count += 1) user = afterRecoveryMail(user ?? aUser(), nowSec, settings);
    expect(afterRecoveryMail(user ?? aUser(), nowSec, settings)).toBeUndefined();
    expect(afterRecoveryMail(user ?? aUser(), nowSec + 3600, settings)).toMatchObject({ fp_count: 1 });
  });
});

describe('recovery', () => {
  test('a key is good for a day, and only the last one', () => {
    const user = withRecoveryKey(withRecoveryKey(aUser(), 'first', nowSec), 'second', nowSec);
    expect(isRecoveryKey(user, 'first', nowSec)).toBe(false);
    expect(isRecoveryKey(user, 'second', nowSec + 86_399)).toBe(true);
    expect(isRecoveryKey(user, 'second', nowSec + 86_400)).toBe(false);
    expect(isRecoveryKey(withoutRecoveryKey(user), 'second', nowSec)).toBe(false);
  });

  test('the mail goes to the address of the user and holds the key', () => {
    const mail = recoveryMail(aUser(), 'f00d', noticeContext());
    expect(mail).toMatchObject({ type: 'mail', to: 'ann@example.com', action: 'recover_password' });
    expect(mail.body).toContain('user reset Ann --recovery-key f00d');
  });
});

describe('sessions', () => {
  const start = { user: aUser(), idHash: 'h1', ip: '::1', useragent: 'x'.repeat(1000), nowSec };

  test('begin, last, and end on the second', () => {
    const state = aState([], [putUser(aUser())]);
    const { session, changes } = planSession(start, state, settings);
    apply(state, changes);
    expect(session).toMatchObject({ id: 'h1', user: 'ann', expires: nowSec + 30 * 86_400 });
    expect(session.useragent).toHaveLength(256);
    expect(liveSession('h1', state, session.expires - 1)?.user.username).toBe('Ann');
    expect(liveSession('h1', state, session.expires)).toBeUndefined();
    expect(liveSession('h2', state, nowSec)).toBeUndefined();
  });

  test('end with their user, or all but one', () => {
    const state = aState([], [putUser(aUser()), putUser(aUser({ id: 'bob', username: 'Bob' }))]);
    for (const [user, idHash] of [
      [aUser(), 'a1'],
      [aUser(), 'a2'],
      [aUser({ id: 'bob' }), 'b1'],
    ] as const) {
      apply(state, planSession({ ...start, user, idHash }, state, settings).changes);
    }
    expect(planSessionsEnd('ann', state, 'a1')).toEqual([{ type: 'delete', table: 'sessions', id: 'a2' }]);
    apply(state, planSessionsEnd('ann', state));
    expect(state.sessions.size).toBe(1);
    apply(state, [{ type: 'delete', table: 'users', id: 'bob' }]);
    expect(liveSession('b1', state, nowSec)).toBeUndefined();
  });

  test('whatever is begun and when, no user has more than 50, and what is over is cleared away', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(2), fc.nat(40)), { minLength: 120, maxLength: 200 }), (logins) => {
        const state = aState();
        let time = nowSec;
        for (const [index, [user, days]] of logins.entries()) {
          time += days * 8_640;
          const login = { ...start, user: aUser({ id: `u${user}` }), idHash: `h${index}`, nowSec: time };
          apply(state, planSession(login, state, settings).changes);
        }
        const all = [...state.sessions.newestFirst()];
        expect(all.every((session) => session.expires > time)).toBe(true);
        for (const user of ['u0', 'u1', 'u2']) {
          expect(all.filter((session) => session.user === user).length).toBeLessThanOrEqual(50);
        }
        expect(all[0]?.id).toBe(`h${logins.length - 1}`);
      }),
      { numRuns: 30 },
    );
  });
});

describe('who calls', () => {
  const keyRecord = { id: 'k1', title: 'CI', privileges: { run_events: 1 }, created: 1, modified: 1 };
  const withKey = (active: 0 | 1): Change => ({
    type: 'put',
    table: 'api_keys',
    seq: 1,
    record: { ...keyRecord, key_hash: 'kh', active },
  });
  const stateOf = (user: UserRecord, active: 0 | 1 = 1) => {
    const state = aState([], [putUser(user), withKey(active)]);
    apply(
      state,
      planSession({ ...{ user, idHash: 'sh', ip: '', useragent: '' }, nowSec }, state, settings).changes,
    );
    return state;
  };
  const session = { kind: 'session', hash: 'sh' } as const;
  const key = { kind: 'api_key', hash: 'kh' } as const;

  test('the owner of the key or of the session, with present privileges', () => {
    const state = stateOf(aUser({ privileges: { admin: 1 } }));
    expect(identify(key, state, nowSec)).toEqual({
      kind: 'api_key',
      id: 'k1',
      title: 'CI',
      privileges: { run_events: 1 },
    });
    expect(identify(session, state, nowSec)).toMatchObject({
      kind: 'user',
      id: 'Ann',
      privileges: { admin: 1 },
    });
    apply(state, [putUser(aUser())]);
    expect(identify(session, state, nowSec).privileges).toEqual({});
  });

  test('is refused in the words of the peer, without the credential', () => {
    const state = stateOf(aUser());
    const over = ['session', 'Session has expired or is invalid.'];
    expect(refusal(() => identify(undefined, state, nowSec))).toEqual([
      'session',
      'No Session ID or API Key could be found',
    ]);
    expect(refusal(() => identify({ ...session, hash: 'other' }, state, nowSec))).toEqual(over);
    expect(refusal(() => identify(session, state, nowSec + 31 * 86_400))).toEqual(over);
    expect(refusal(() => identify({ ...key, hash: 'sh' }, state, nowSec))).toEqual([
      'api',
      'Invalid API Key',
    ]);
    // A key is no session, and the other way round.
    expect(refusal(() => identify({ ...session, hash: 'kh' }, state, nowSec))).toEqual(over);
    expect(refusal(() => identify(key, stateOf(aUser(), 0), nowSec))).toEqual([
      'api',
      'API Key is disabled: CI',
    ]);
    expect(refusal(() => identify(session, stateOf(aUser({ active: 0 })), nowSec))).toEqual([
      'user',
      'User account is disabled: Ann',
    ]);
  });
});

describe('the classes of calls', () => {
  test('each call has one, and exactly the calls for administrators are for administrators', () => {
    expect(Object.keys(callScopes).sort()).toEqual(Object.keys(apiCalls).sort());
    for (const [name, { auth }] of Object.entries(apiCalls)) {
      expect([name, callScopes[name as keyof typeof callScopes] === 'admin']).toEqual([
        name,
        auth === 'admin',
      ]);
    }
  });
});
