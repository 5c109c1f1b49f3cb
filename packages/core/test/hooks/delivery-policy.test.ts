import type { Delivery } from '@carillon/contract';
import {
  crowdedOutbox,
  deliveryRow,
  failureText,
  giveUpAfterMs,
  isTriedAgain,
  planEventErrorNotices,
  planStartNotices,
  type SendResult,
  usualAttempts,
} from '@carillon/core';
import { describe, expect, test } from '@jest/globals';
import { aRecord, noticeContext, noticeMs } from '../support/notices.js';

function first(deliveries: Delivery[]): Delivery {
  const [delivery] = deliveries;
  if (delivery === undefined) throw new Error('nothing planned');
  return delivery;
}

const secretUrl = 'https://u:p@hook.test/x?token=1 [header: A: b]';
const hook = (retries?: number): Delivery => {
  const options = {
    follow: 0,
    rejectUnauthorized: true,
    timeoutMs: 1,
    ...(retries === undefined ? {} : { retries }),
  };
  return first(planStartNotices(aRecord({ web_hook: secretUrl }), noticeContext({ hooks: { options } })));
};
const mail = first(planEventErrorNotices('a@example.com', { id: 'e1', title: 'T' }, 'why', noticeContext()));
const mayPass: Extract<SendResult, { sent: false }> = {
  sent: false,
  code: 503,
  description: '',
  retryable: true,
};

describe('isTriedAgain', () => {
  test.each([
    ['a hook after its first try', hook(), 1, 0, 1, true],
    ['a hook before its last try', hook(), usualAttempts - 1, 0, 1, true],
    ['a hook after its last try', hook(), usualAttempts, 0, 1, false],
    ['a hook without retries', hook(0), 1, 0, 1, false],
    ['a hook with eight, after eight', hook(8), 8, 0, 1, true],
    ['a hook with eight, after nine', hook(8), 9, 0, 1, false],
    ['a mail', mail, usualAttempts - 1, 0, 1, true],
    ['a mail after its last try', mail, usualAttempts, 0, 1, false],
    ['just before the hour is over', mail, 1, giveUpAfterMs - 1, 1, true],
    ['when the hour is over', mail, 1, giveUpAfterMs, 1, false],
    ['a full outbox', mail, 1, 0, crowdedOutbox, true],
    ['an overfull outbox', mail, 1, 0, crowdedOutbox + 1, false],
  ])('%s', (_name, delivery, attempts, ageMs, outbox, expected) => {
    const standing = { attempts, nowMs: noticeMs + ageMs, outbox };
    expect(isTriedAgain(delivery, mayPass, standing)).toBe(expected);
    expect(isTriedAgain(delivery, { ...mayPass, retryable: false }, standing)).toBe(false);
  });
});

describe('the record of a delivery', () => {
  const standing = { attempts: 3, nowMs: noticeMs + 2500 };

  test('says what, where to and how it ended, without credentials', () => {
    expect(deliveryRow(hook(), { code: 503, description: 'HTTP 503' }, standing)).toEqual({
      id: 'd1',
      type: 'hook',
      action: 'job_start',
      event: 'e1',
      job: 'j1',
      target: 'https://hook.test/x',
      attempts: 3,
      code: 503,
      description: 'HTTP 503',
      epoch: 1_700_000_002,
      elapsed: 2.5,
    });
    const row = deliveryRow(mail, { code: 0, description: '' }, standing);
    expect(row).toMatchObject({ type: 'mail', action: 'event_error', target: 'a@example.com' });
    expect(row).not.toHaveProperty('job');
  });

  test('names job or event in the activity log', () => {
    expect(failureText(mail, 'no')).toBe('Failed to send e-mail for event: e1: a@example.com: no');
    expect(failureText({ ...mail, job: 'j1' }, 'no')).toBe(
      'Failed to send e-mail for job: j1: a@example.com: no',
    );
    expect(failureText(hook(), 'no')).toBe('Failed to deliver web hook for job: j1: https://hook.test/x: no');
  });
});
