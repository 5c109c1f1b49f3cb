import { describe, expect, test } from '@jest/globals';
import { CarillonError, type ErrorCode } from '@carillon/contract';
import {
  type EventContext,
  planEventCreation,
  planEventDeletion,
  planEventUpdate,
  planKeyCreation,
  setupRecords,
} from '@carillon/core';
import fc from 'fast-check';
import { aCategory, aJob, aKey, anEvent, apply, aPlugin, aState } from '../support/builders.js';

const required = { title: 'New', enabled: 1, category: 'general', plugin: 'shellplug', target: 'web' };

function context(more: Partial<EventContext> = {}): EventContext {
  return {
    state: aState([anEvent()]),
    caller: aKey({ create_events: 1 }),
    nowSec: 1000,
    newEventId: () => 'enew',
    defaultTimezone: 'Europe/London',
    ...more,
  };
}
const create = (fields: object, more?: Partial<EventContext>) =>
  planEventCreation({ ...required, ...fields }, context(more));
const update = (changes: Record<string, unknown>, current = anEvent()) =>
  planEventUpdate(current, changes, context());

function refusal(run: () => unknown): { code: ErrorCode | 1; text: string } {
  try {
    run();
  } catch (error) {
    if (error instanceof CarillonError) return { code: error.code, text: error.message };
    throw error;
  }
  throw new Error('not refused');
}

describe('creating an event', () => {
  test('the least an event can be', () => {
    expect(create({})).toEqual({
      ...required,
      id: 'enew',
      params: {},
      timezone: 'Europe/London',
      max_children: 0,
      timeout: 0,
      created: 1000,
      modified: 1000,
      api_key: 'k1',
    });
  });

  test('the creator is the caller, whatever the request says', () => {
    const user = { kind: 'user', id: 'ann', title: 'ann', privileges: {} } as const;
    const fields = { username: 'bob', api_key: 'secret', created: 5, modified: 5 };
    expect(create(fields, { caller: user })).toMatchObject({
      username: 'ann',
      created: 1000,
      modified: 1000,
    });
    expect(create(fields, { caller: user })).not.toHaveProperty('api_key');
    expect(create(fields)).toMatchObject({ api_key: 'k1' });
    expect(create(fields)).not.toHaveProperty('username');
  });

  test('flags become 0 or 1, an empty time zone the default, falsy timings false', () => {
    const flags = { enabled: false, catch_up: true, detached: 7, multiplex: 0, queue: true };
    const timings = [null, false, 0, ''].map((timing) => create({ timing })['timing']);
    expect(create({ ...flags, timezone: '' })).toMatchObject({
      enabled: 0,
      catch_up: 1,
      detached: 1,
      multiplex: 0,
      queue: 1,
      timezone: 'Europe/London',
    });
    expect(timings).toEqual([false, false, false, false]);
    expect(create({ timing: {} }).timing).toEqual({});
  });

  test('a chosen id is lower-cased; one that is taken is refused', () => {
    expect(create({ id: 'MyEvent' }).id).toBe('myevent');
    expect(refusal(() => create({ id: 'E1' }))).toEqual({
      code: 'event',
      text: 'Failed to create event: Event ID already exists: e1',
    });
  });

  test('control keys are not stored, unknown ones are', () => {
    const control = {
      session_id: 'x',
      abort_jobs: 1,
      reset_cursor: 5,
      cwd: '/',
      uid: 0,
      gid: 0,
      env: {},
      callback: 'f',
      pretty: 1,
    };
    const record = create({ ...control, team: ['a'] });
    for (const key of Object.keys(control)) expect(record).not.toHaveProperty(key);
    expect(record['team']).toEqual(['a']);
  });

  test('a target and chained events may come later', () => {
    expect(create({ target: 'not-yet', chain: 'e77' })).toMatchObject({ target: 'not-yet', chain: 'e77' });
  });

  test('the record shares nothing with the request', () => {
    const timing = { minutes: [1] };
    const record = create({ timing });
    timing.minutes.push(2);
    expect(record.timing).toEqual({ minutes: [1] });
  });

  test.each<[object, ErrorCode, string]>([
    [{ title: undefined }, 'api', 'Missing parameter: title'],
    [{ target: 'a b' }, 'api', 'Malformed parameter: target'],
    [{ title: 'a<b' }, 'api', 'Malformed title parameter: Cannot contain HTML metacharacters'],
    [{ notes: 'a<b' }, 'api', 'Malformed notes parameter: Cannot contain HTML metacharacters'],
    [{ timeout: '5' }, 'api', 'Malformed parameter type: timeout (string)'],
    [{ timeout: -5 }, 'api', 'Malformed parameter value: timeout'],
    [{ algo: 'fastest' }, 'api', 'Malformed parameter value: algo'],
    [{ params: [] }, 'api', 'Malformed event parameter: params (must be object)'],
    [{ timing: [] }, 'api', 'Malformed event parameter: timing (must be object)'],
    [{ timing: { seconds: [1] } }, 'api', 'Unknown event timing parameter: seconds'],
    [{ timing: { minutes: 5 } }, 'api', 'Malformed event timing parameter: minutes (must be array)'],
    [
      { timing: { minutes: ['5'] } },
      'api',
      'Malformed event timing parameter: minutes (must be array of numbers)',
    ],
    [{ timing: { hours: [24] } }, 'api', 'Malformed event timing parameter: hours (value out of range: 24)'],
    [{ timezone: 'Mars/Olympus' }, 'api', 'Malformed or unknown timezone: Mars/Olympus'],
    [{ plugin: 'p9' }, 'event', 'Failed to create event: Plugin not found: p9'],
    [{ plugin: 'constructor' }, 'event', 'Failed to create event: Plugin not found: constructor'],
    [{ category: 'c9' }, 'event', 'Failed to create event: Category not found: c9'],
    [{ params: { colour: 1 } }, 'event', 'Unknown Plugin parameter: colour'],
    [{ params: JSON.parse('{"__proto__": 1}') as object }, 'event', 'Unknown Plugin parameter: __proto__'],
  ])('%j is refused', (fields, code, text) => {
    expect(refusal(() => create(fields))).toEqual({ code, text });
  });
});

describe('updating an event', () => {
  test('only given keys are replaced, params and timing as a whole', () => {
    const current = anEvent({
      params: { script: 'old', secret: 'x' },
      timing: { hours: [1] },
      notes: 'kept',
      extra: 1,
    });
    expect(
      update({ params: { script: 'new' }, timing: { minutes: [1] }, enabled: false, id: 'other' }, current),
    ).toEqual({
      ...current,
      params: { script: 'new' },
      timing: { minutes: [1] },
      enabled: 0,
      modified: 1000,
    });
  });

  test('created and username may be changed; credentials and control keys are not stored', () => {
    const record = update({
      created: 5,
      modified: 6,
      username: 'bob',
      api_key: 's',
      reset_cursor: 1,
      abort_jobs: 1,
    });
    expect(record).toMatchObject({ created: 5, modified: 1000, username: 'bob' });
    for (const key of ['api_key', 'reset_cursor', 'abort_jobs']) expect(record).not.toHaveProperty(key);
  });

  test('the record before stays as it was', () => {
    const current = anEvent({ extra: { deep: [1] } });
    const record = update({ title: 'x' }, current);
    expect(record['extra']).toEqual({ deep: [1] });
    expect(record['extra']).not.toBe(current['extra']);
    expect(current.title).toBe('Nightly');
  });

  test.each<[Record<string, unknown>, ErrorCode, string]>([
    [{ plugin: 'p9' }, 'event', 'Failed to update event: Plugin not found: p9'],
    [{ category: 'c9' }, 'event', 'Failed to update event: Category not found: c9'],
    [{ params: { colour: 1 } }, 'event', 'Unknown Plugin parameter: colour'],
    [{ timezone: 'x' }, 'api', 'Malformed or unknown timezone: x'],
    [{ title: null }, 'api', 'Malformed parameter type: title (object)'],
    [{ timing: [1] }, 'api', 'Malformed event parameter: timing (must be object)'],
  ])('%j is refused', (changes, code, text) => {
    expect(refusal(() => update(changes))).toEqual({ code, text });
  });
});

describe('deleting an event', () => {
  test('an unknown one', () => {
    expect(refusal(() => planEventDeletion('__proto__', aState()))).toEqual({
      code: 'event',
      text: 'Failed to locate event: __proto__',
    });
  });
  test.each<['queued' | 'waiting' | 'running', string]>([
    ['running', 'running'],
    ['waiting', 'running'],
    ['queued', 'queued'],
  ])('with a job that is %s', (state, word) => {
    const busy = aState([anEvent()], [{ type: 'job', job: aJob('j1', {}, { state }) }]);
    expect(refusal(() => planEventDeletion('e1', busy)).text).toBe(
      `Failed to delete event: Still has ${word} jobs`,
    );
  });
  test('without jobs it may go', () => {
    expect(planEventDeletion('e1', aState([anEvent()]))).toEqual(anEvent());
  });
});

test('whatever is created or updated: a coded refusal, or a record that can be updated again', () => {
  const fields = fc.dictionary(
    fc.constantFrom(
      'title',
      'enabled',
      'timing',
      'params',
      'timezone',
      'queue',
      'algo',
      'id',
      '__proto__',
      'x',
      'stagger',
    ),
    fc.oneof(fc.jsonValue(), fc.constantFrom('', 0, 1, true, 'UTC', {})),
  );
  fc.assert(
    fc.property(fields, fields, (first, second) => {
      try {
        const record = create(first);
        expect(record.id).toMatch(/^[a-z0-9_]+$/);
        expect([0, 1]).toContain(record.enabled);
        update(second, record);
      } catch (error) {
        expect(error).toBeInstanceOf(CarillonError);
      }
    }),
  );
});

describe('the records of a new cluster', () => {
  const state = aState();
  for (const table of ['plugins', 'categories', 'server_groups'] as const) {
    for (const { id } of [...state[table].newestFirst()]) state.applyChange({ type: 'delete', table, id });
  }
  apply(state, setupRecords({ hostname: 'Node-1.example', nowSec: 7 }));

  test('come in the order of the reference', () => {
    const ids = (rows: Iterable<{ id: string }>) => [...rows].map((row) => row.id);
    expect(ids(state.plugins.newestFirst())).toEqual(['testplug', 'shellplug', 'urlplug']);
    expect(ids(state.server_groups.newestFirst())).toEqual(['maingrp', 'allgrp']);
    expect(ids(state.categories.newestFirst())).toEqual(['general']);
    expect(state.events.size + state.api_keys.size).toBe(0);
  });
  test('the primary group is exactly the first host', () => {
    const expression = new RegExp(state.server_groups.get('maingrp')?.regexp ?? '');
    expect(expression.test('node-1.example')).toBe(true);
    expect(expression.test('node-1xexample')).toBe(false);
  });
  test('plugin definitions keep the rules for plugin parameters', () => {
    for (const plugin of state.plugins.newestFirst()) {
      expect(plugin.command).toMatch(/^builtin:\w+$/);
      for (const param of plugin.params) {
        expect(param.title).toMatch(/\S/);
        if (param.type === 'text')
          expect([typeof param.value, typeof param.size]).toEqual(['string', 'number']);
        if (param.type === 'select') expect(param.items).toContain(param.value);
      }
    }
  });
  test('an event can use them at once', () => {
    const made = planEventCreation(
      { ...required, target: 'allgrp', params: { script: 'true' } },
      context({ state }),
    );
    expect(made.params).toEqual({ script: 'true' });
  });
  test('a key is known by its hash alone', () => {
    apply(state, [
      planKeyCreation({ id: 'k1', seq: 1, title: 'CI', keyHash: 'ab', privileges: { admin: 1 }, nowSec: 7 }),
    ]);
    expect(state.keyByHash('ab')).toEqual({
      id: 'k1',
      title: 'CI',
      key_hash: 'ab',
      active: 1,
      privileges: { admin: 1 },
      created: 7,
      modified: 7,
    });
  });
});

test('builders make valid records', () => {
  expect([aCategory().id, aPlugin().id]).toEqual([anEvent().category, anEvent().plugin]);
});
