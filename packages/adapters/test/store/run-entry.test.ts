import { describe, expect, test } from '@jest/globals';
import { claimedPrefix, decodeRun, encodeDispatched, refuseClaim } from '../../src/store/run-entry.js';

describe('the stored form of a run', () => {
  test('a dispatched run is read as it was written', () => {
    expect(decodeRun(encodeDispatched(3, 'n|"1'))).toEqual({
      state: 'dispatched',
      attempt: 3,
      node: 'n|"1',
      boot: '',
      nonce: '',
    });
  });

  test('the prefix tells claimed runs of that attempt from all others', () => {
    const claimed = JSON.stringify(['claimed', '1', 'n', 'b', 'x', '5']);
    expect(claimed.startsWith(claimedPrefix(1))).toBe(true);
    expect(claimed.startsWith(claimedPrefix(11))).toBe(false);
    expect(JSON.stringify(['claimed', '11', 'n']).startsWith(claimedPrefix(1))).toBe(false);
    expect(encodeDispatched(1, 'n').startsWith(claimedPrefix(1))).toBe(false);
  });

  test.each([
    '',
    'x',
    '{}',
    '[]',
    '["claimed"]',
    '["lost","1","n"]',
    '["claimed","x","n","b","c"]',
    '["claimed","1","n",5]',
  ])('%j is not one', (text) => {
    expect(decodeRun(text)).toBeUndefined();
  });
});

test.each(['absent', 'constructor', undefined])('a refusal because of %j has a reason', (word) => {
  expect(refuseClaim(word)).toEqual({ claimed: false, reason: expect.stringMatching(/\w/) });
});
