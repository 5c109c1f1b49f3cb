import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { apiCalls, coerceQuery } from '../../src/index.js';

describe('coerceQuery (behaviour reference 1.3, 5.9)', () => {
  test.each([
    [{ timeout: '30' }, { timeout: 30 }],
    [{ timeout: '-3' }, { timeout: -3 }],
    [{ timeout: '1.5' }, { timeout: 1.5 }],
    [{ timeout: '' }, { timeout: '' }],
    [{ timeout: '0x10' }, { timeout: '0x10' }],
    [{ timeout: '1e3' }, { timeout: '1e3' }],
    [{ timeout: ['1', '2'] }, { timeout: ['1', '2'] }],
    [
      { catch_up: '1', multiplex: 'true', queue: 'false', detached: 'yes' },
      { catch_up: 1, multiplex: true, queue: false, detached: 'yes' },
    ],
    [
      { title: '30', target: '1', unknown: '7' },
      { title: '30', target: '1', unknown: '7' },
    ],
    [{ 'params/foo': '1', 'params/bar': 'b' }, { params: { foo: '1', bar: 'b' } }],
    [{ 'params/a/b': '1' }, { params: { a: { b: '1' } } }],
    [{ params: 'x', 'params/foo': '1' }, { params: { foo: '1' } }],
    [{ '/params//foo/': '1' }, { params: { foo: '1' } }],
    [{ '/': '1', '': '2' }, { '': '2' }],
    [{ 'a/b/c/d/e/f/g/h/i/j': '1' }, {}],
    [{ 'params/__proto__': '1', 'params/constructor/prototype/x': '1', '__proto__/x': '1' }, {}],
    [{ constructor: '1', prototype: '1' }, {}],
  ])('%j', (query, expected) => {
    expect(coerceQuery(apiCalls.run_event, query)).toEqual(expected);
  });

  test('paging values stay text', () => {
    expect(coerceQuery(apiCalls.get_schedule, { limit: '10' })).toEqual({ limit: '10' });
  });

  test('no key reaches a prototype', () => {
    const part = fc.constantFrom('__proto__', 'constructor', 'prototype', 'params', 'polluted', '');
    const path = fc.array(part, { maxLength: 5 }).map((parts) => parts.join('/'));
    fc.assert(
      fc.property(fc.array(fc.tuple(path, fc.string())), (pairs) => {
        const query: Record<string, unknown> = Object.create(null);
        for (const [key, value] of pairs) query[key] = value;
        const params = coerceQuery(apiCalls.run_event, query);
        expect(Object.getPrototypeOf(params)).toBe(Object.prototype);
        expect(Object.getOwnPropertyNames(Object.prototype)).not.toContain('polluted');
        expect(Object.hasOwn(Function, 'polluted')).toBe(false);
      }),
    );
  });
});
