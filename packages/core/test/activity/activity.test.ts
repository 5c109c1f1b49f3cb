import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ActivityRation, redactRecord, redactText } from '../../src/index.js';

describe('credentials in texts', () => {
  test.each([
    ['redis://user:pw@host/0', 'redis://user:[redacted]@host/0'],
    ['redis://:pw@host', 'redis://:[redacted]@host'],
    ['GET /x?api_key=abc&b=1 failed', 'GET /x?api_key=[redacted]&b=1 failed'],
    ['sent "token=abc"', 'sent "token=[redacted]"'],
    ['PASSWORD=abc', 'PASSWORD=[redacted]'],
    ['no secret here: a=b', 'no secret here: a=b'],
    ['at 10:30 user@host', 'at 10:30 user@host'],
  ])('%s', (text, expected) => {
    expect(redactText(text)).toBe(expected);
  });
});

describe('credentials in records', () => {
  test('are replaced by name at any depth; ids of keys and everything else stay', () => {
    const entry = {
      action: 'event_create',
      epoch: 1,
      api_key: 'k1',
      api_title: 'CI',
      event: {
        params: { db_password: 'x', script: 'curl ftp://u:p@h/', list: [{ token: 't' }], timeout: 5 },
      },
    };
    expect(redactRecord(entry)).toEqual({
      ...entry,
      event: {
        params: {
          db_password: '[redacted]',
          script: 'curl ftp://u:[redacted]@h/',
          list: [{ token: '[redacted]' }],
          timeout: 5,
        },
      },
    });
  });

  test('nothing named like a credential survives, and nothing is changed in place', () => {
    fc.assert(
      fc.property(fc.object({ key: fc.constantFrom('password', 'x_token', 'title', 'n') }), (record) => {
        const before = JSON.stringify(record);
        const visit = (value: unknown): void => {
          if (typeof value !== 'object' || value === null) return;
          for (const [name, part] of Object.entries(value)) {
            if (/password|token/.test(name) && typeof part === 'string') {
              expect(['', '[redacted]']).toContain(part);
            }
            visit(part);
          }
        };
        visit(redactRecord(record));
        expect(JSON.stringify(record)).toBe(before);
      }),
    );
  });
});

describe('the ration of the activity log', () => {
  const warning = (description: string) => ({ action: 'warning', epoch: 1, description });

  test('ten of a kind in ten minutes, then one that counts the others', () => {
    const ration = new ActivityRation();
    const kept = Array.from({ length: 100 }, (_none, number) =>
      ration.admit(warning(`Failed: job j${number}abc, code ${number}`), number * 1000),
    );
    expect(kept.filter((entry) => entry !== undefined)).toHaveLength(10);
    expect(ration.admit(warning('Failed: job j7, code 7'), 600_000)).toMatchObject({ repeats: 90 });
    expect(ration.admit(warning('Failed: job j8, code 8'), 600_001)).not.toHaveProperty('repeats');
  });

  test('other texts, other actions, and what people did have room of their own', () => {
    const ration = new ActivityRation();
    for (let count = 0; count < 20; count += 1) ration.admit(warning('one'), 0);
    expect(ration.admit(warning('one'), 1)).toBeUndefined();
    expect(ration.admit(warning('two'), 1)).toBeDefined();
    expect(ration.admit({ ...warning('one'), action: 'error' }, 1)).toBeDefined();
    for (let count = 0; count < 50; count += 1) {
      expect(ration.admit({ action: 'event_update', epoch: 1, description: 'one' }, 1)).toBeDefined();
      expect(ration.admit({ action: 'job_complete', epoch: 1, code: 1 }, 1)).toBeDefined();
    }
  });
});
