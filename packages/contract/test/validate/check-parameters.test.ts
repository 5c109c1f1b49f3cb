import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type ApiCall, apiCalls, CarillonError, checkParameters } from '../../src/index.js';

/** The refusal's text, or undefined. Anything but a CarillonError `api` is a defect. */
function refusalOf(call: ApiCall, params: Record<string, unknown>): string | undefined {
  try {
    checkParameters(call, params);
    return undefined;
  } catch (error) {
    if (!(error instanceof CarillonError) || error.code !== 'api' || error.httpStatus !== 200) throw error;
    return error.message;
  }
}

const event = { title: 'T', enabled: 1, category: 'c', plugin: 'p', target: 'host-1.test' };

describe('required parameters (behaviour reference 1.5)', () => {
  test.each<[Record<string, unknown>, string | undefined]>([
    [{}, 'Missing parameter: title'],
    [event, undefined],
    [{ ...event, enabled: true }, undefined],
    [{ ...event, enabled: null }, 'Null parameter: enabled'],
    [{ ...event, enabled: 'yes' }, 'Malformed parameter: enabled'],
    [{ ...event, enabled: -1 }, 'Malformed parameter: enabled'],
    [{ ...event, title: ' ' }, 'Malformed parameter: title'],
    [{ ...event, title: '<b>' }, 'Malformed title parameter: Cannot contain HTML metacharacters'],
    [{ ...event, category: '' }, 'Malformed parameter: category'],
    [{ ...event, category: { toString: 1 } }, 'Malformed parameter: category'],
    [{ ...event, target: 'a b' }, 'Malformed parameter: target'],
    [{ ...event, target: ['a'] }, 'Malformed parameter: target'],
  ])('create_event %j', (params, expected) => {
    expect(refusalOf(apiCalls.create_event, params)).toBe(expected);
  });

  test('inherited values are missing', () => {
    const params: Record<string, unknown> = Object.create({ id: 'x' });
    expect(refusalOf(apiCalls.delete_event, params)).toBe('Missing parameter: id');
  });
});

describe('optional parameters (behaviour reference 1.6)', () => {
  test.each<[Record<string, unknown>, string | undefined]>([
    [{ unknown: { deep: [1] }, constructor: 1 }, undefined],
    [{ timeout: 5 }, undefined],
    [{ timeout: '5' }, 'Malformed parameter type: timeout (string)'],
    [{ timeout: true }, 'Malformed parameter type: timeout (boolean)'],
    [{ timeout: null }, 'Malformed parameter type: timeout (object)'],
    [{ timeout: -1 }, 'Malformed parameter value: timeout'],
    [{ timeout: 1.5 }, 'Malformed parameter value: timeout'],
    [{ timeout: 1e300 }, 'Malformed parameter value: timeout'],
    [{ catch_up: true, multiplex: 0, queue: 2 }, undefined],
    [{ catch_up: 'true' }, 'Malformed parameter type: catch_up (string)'],
    [{ catch_up: 0.5 }, 'Malformed parameter value: catch_up'],
    [{ algo: 'least_cpu' }, undefined],
    [{ algo: 'fastest' }, 'Malformed parameter value: algo'],
    [{ algo: 1 }, 'Malformed parameter type: algo (number)'],
    [{ chain: '', chain_error: 'e1' }, undefined],
    [{ chain: 'a b' }, 'Malformed parameter value: chain'],
    [{ notes: 'a\nb' }, undefined],
    [{ notes: 'a > b' }, 'Malformed notes parameter: Cannot contain HTML metacharacters'],
    [{ notify_fail: 'a+b@c.test, "d" d@e.test' }, undefined],
    [{ notify_fail: 'a@b.test\r\nBcc: x@y.test' }, 'Malformed parameter value: notify_fail'],
    [{ web_hook: '' }, undefined],
    [{ web_hook: 'https://a.test/x [header: X-Token: abc]' }, undefined],
    [{ web_hook: 'HTTP://a.test' }, undefined],
    [{ web_hook: 'file:///etc/passwd' }, 'Malformed parameter value: web_hook'],
    [{ params: {} }, undefined],
    [{ params: [] }, 'Malformed event parameter: params (must be object)'],
    [{ params: null }, 'Malformed event parameter: params (must be object)'],
    [{ params: 'x' }, 'Malformed parameter type: params (string)'],
    [{ timing: { weekdays: [7] } }, 'Malformed event timing parameter: weekdays (value out of range: 7)'],
    [{ timing: 'daily' }, 'Malformed event parameter: timing (must be object)'],
    [{ timing: null }, undefined],
    [{ username: 'a.b-c' }, undefined],
    [{ username: 'a b' }, 'Malformed parameter value: username'],
    [{ reset_cursor: null }, undefined],
    [{ reset_cursor: false }, undefined],
    [{ reset_cursor: 'now' }, 'Malformed parameter type: reset_cursor (string)'],
    [{ reset_cursor: null }, undefined],
    [{ reset_cursor: [] }, 'Malformed parameter type: reset_cursor (object)'],
    [{ abort_jobs: 1 }, undefined],
  ])('update_event %j', (params, expected) => {
    expect(refusalOf(apiCalls.update_event, { id: 'e1', ...params })).toBe(expected);
  });

  test.each<[unknown, string | undefined]>([
    ['10', undefined],
    [10, undefined],
    ['all', undefined],
    [null, undefined],
    [true, 'Malformed parameter type: limit (boolean)'],
    [[1], 'Malformed parameter type: limit (object)'],
  ])('get_schedule limit %j', (limit, expected) => {
    expect(refusalOf(apiCalls.get_schedule, { limit })).toBe(expected);
  });
});

test('any value of any parameter is accepted or refused by its name', () => {
  for (const call of Object.values(apiCalls)) {
    const names = Object.keys(call.params.properties);
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...names, 'other'), fc.anything()), (params) => {
        const refusal = refusalOf(call, params);
        if (refusal !== undefined) expect(refusal).toMatch(/^(Missing|Null|Malformed|Unknown) /);
      }),
      { numRuns: 50 },
    );
  }
});
