import type { Delivery, HookDelivery } from '@carillon/contract';
import { planCompletionNotices, planLaunchFailureNotices, planStartNotices } from '@carillon/core';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { aRecord, noticeContext, noticeMs } from '../support/notices.js';

const hooksOf = (deliveries: Delivery[]): HookDelivery[] =>
  deliveries.filter((delivery): delivery is HookDelivery => delivery.type === 'hook');

const payloadOf = (delivery: Delivery | undefined): Record<string, unknown> => {
  if (delivery?.type !== 'hook') throw new Error('no web hook');
  return JSON.parse(delivery.body) as Record<string, unknown>;
};

const rule = { failMail: true };
const web_hook = 'http://hook.test/own';

describe('who gets a web hook', () => {
  test('the own one of the job and the universal one, each its own delivery', () => {
    const context = noticeContext({ hooks: { universal: 'https://all.test/x [header: X-Token: t]' } });
    const deliveries = planStartNotices(aRecord({ web_hook }), context);
    expect(deliveries).toMatchObject([
      { id: 'd1', url: web_hook, job: 'j1', event: 'e1', action: 'job_start', createdMs: noticeMs },
      { id: 'd2', url: 'https://all.test/x', headers: { 'x-token': 't' } },
    ]);
  });

  test.each([
    [{}, 0],
    [{ web_hook: '' }, 0],
    [{ web_hook: 'not a url' }, 0],
    [{ web_hook: 5 }, 0],
    [{ web_hook }, 1],
  ])('of a job with %j', (fields, count) => {
    expect(planStartNotices(aRecord(fields), noticeContext())).toHaveLength(count);
  });

  test.each([
    ['job_start', 0, 1, 1, 1],
    ['job_complete', 1, 0, 1, 1],
    ['job_failure', 1, 1, 0, 1],
    ['job_launch_failure', 1, 1, 1, 0],
  ])('nothing is sent without the text %s', (missing, start, success, failure, launch) => {
    const all = { job_start: 'a', job_complete: 'b', job_failure: 'c', job_launch_failure: 'd' };
    const texts = Object.fromEntries(Object.entries(all).filter(([name]) => name !== missing));
    const context = noticeContext({ hooks: { texts } });
    expect([
      planStartNotices(aRecord({ web_hook }), context).length,
      planCompletionNotices(aRecord({ web_hook, code: 0 }), rule, context).length,
      planCompletionNotices(aRecord({ web_hook }), rule, context).length,
      planLaunchFailureNotices({ id: 'e1', title: 'T', web_hook }, undefined, 'r', context).length,
    ]).toEqual([start, success, failure, launch]);
  });
});

describe('the request', () => {
  test('is JSON and a line feed, under names that receivers know', () => {
    const [hook] = hooksOf(planStartNotices(aRecord({ web_hook }), noticeContext()));
    expect(hook?.headers).toEqual({
      'content-type': 'application/json',
      'user-agent': 'Carillon/9.9',
      'x-carillon-delivery': 'd1',
    });
    expect(hook?.body.endsWith('}\n')).toBe(true);
    expect(hook?.options).toEqual({ follow: 0, rejectUnauthorized: true, timeoutMs: 30_000 });
  });

  test('of a target with suffixes has its headers, instead of the usual ones of the same name', () => {
    const target = `${web_hook} [header: User-Agent: mine] [header: Authorization: Bearer x] [data: team: 7]`;
    const [hook] = hooksOf(planStartNotices(aRecord({ web_hook: target }), noticeContext()));
    expect(hook).toMatchObject({
      url: web_hook,
      headers: { 'user-agent': 'mine', authorization: 'Bearer x' },
    });
    expect(payloadOf(hook)['team']).toBe(7);
  });
});

describe('the payload', () => {
  const link = {
    base_app_url: 'http://cron.test',
    edit_event_url: 'http://cron.test/#Schedule?sub=edit_event&id=e1',
  };

  test('of a start is the job with its links and its text, three times', () => {
    const [hook] = planStartNotices(aRecord({ web_hook }), noticeContext());
    const text = 'Job started on web1: Nightly http://cron.test/#JobDetails?id=j1';
    expect(payloadOf(hook)).toEqual({
      ...aRecord({ web_hook }),
      ...link,
      action: 'job_start',
      job_details_url: 'http://cron.test/#JobDetails?id=j1',
      text,
      content: text,
      message: text,
    });
  });

  test.each([
    [0, 'Job completed successfully on web1: Nightly http://cron.test/#JobDetails?id=j1'],
    [2, 'Job failed on web1: Nightly: Error 2: No space left http://cron.test/#JobDetails?id=j1'],
    ['odd', 'Job failed on web1: Nightly: Error odd: No space left http://cron.test/#JobDetails?id=j1'],
  ])('of an end with code %s has the action job_complete and the text of its kind', (code, text) => {
    const [hook] = planCompletionNotices(aRecord({ web_hook, code }), rule, noticeContext());
    expect(payloadOf(hook)).toMatchObject({
      action: 'job_complete',
      code,
      text,
      content: text,
      message: text,
    });
  });

  test('of a failed launch is the event', () => {
    const event = { id: 'e1', title: 'Nightly', web_hook, params: { a: 1 }, api_key: 'k1' };
    const [hook] = planLaunchFailureNotices(event, undefined, 'No servers', noticeContext());
    const text = `Failed to launch scheduled event: Nightly: No servers ${link.edit_event_url}`;
    expect(payloadOf(hook)).toEqual({
      ...event,
      ...link,
      action: 'job_launch_failure',
      code: 1,
      description: 'No servers',
      event: 'e1',
      event_title: 'Nightly',
      text,
      content: text,
      message: text,
    });
    expect(hook).not.toHaveProperty('job');
  });

  test('of a failed launch goes to the category, where the event has no web hook', () => {
    const category = { web_hook: 'http://category.test/', notify_fail: 'c@example.com' };
    const planned = planLaunchFailureNotices(
      { id: 'e1', title: 'T', web_hook: '' },
      category,
      'r',
      noticeContext(),
    );
    expect(planned).toMatchObject([
      { url: 'http://category.test/' },
      { type: 'mail', to: 'c@example.com', action: 'event_error' },
    ]);
  });

  test('has what the configuration adds; own data of the target comes last', () => {
    const context = noticeContext({
      hooks: { configValues: { email_from: 'x', a: 1 }, customData: { a: 2, b: 2 } },
    });
    const [hook] = planStartNotices(aRecord({ web_hook: `${web_hook} [data: b: 3]` }), context);
    expect(payloadOf(hook)).toMatchObject({ email_from: 'x', a: 2, b: 3 });
  });

  test('holds no environment and no credentials of web hooks', () => {
    const secret = { env: { TOKEN: 'hunter2' }, session_id: 'hunter2' };
    const own = 'http://u:hunter2@hook.test/own?key=hunter2 [header: Authorization: hunter2]';
    const context = noticeContext({ hooks: { universal: 'http://all.test/ [header: X: hunter2]' } });
    const record = aRecord({ ...secret, web_hook: own, notify_fail: 'a@example.com' });
    const planned = [
      ...planStartNotices(record, context),
      ...planCompletionNotices(record, rule, context),
      ...planLaunchFailureNotices(
        { id: 'e1', title: 'T', ...secret, web_hook: own },
        undefined,
        'r',
        context,
      ),
    ];
    expect(planned).toHaveLength(7);
    expect(planned.map((delivery) => delivery.body).join('')).not.toContain('hunter2');
    expect(payloadOf(planned[0])['web_hook']).toBe('http://hook.test/own');
  });

  test('leaves unknown placeholders, and does not look into values', () => {
    const texts = {
      job_start: '[event_title] [nope] [params/script] [/params/script] [params] [__proto__] [] [[id]]',
    };
    const record = aRecord({ web_hook, event_title: '[id]' });
    const [hook] = planStartNotices(record, noticeContext({ hooks: { texts } }));
    expect(payloadOf(hook)['text']).toBe('[id] [nope] echo echo {"script":"echo"} [__proto__] [] [j1]');
  });

  test('whatever texts and values are: planning never throws, and the body is JSON', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }),
        fc.dictionary(fc.string(), fc.jsonValue()),
        (text, more) => {
          const context = noticeContext({ hooks: { texts: { job_failure: `${text}[label]` } } });
          const record = { ...more, ...aRecord({ web_hook, label: text }) };
          expect(payloadOf(planCompletionNotices(record, rule, context)[0])).toMatchObject({
            code: 2,
            label: text,
          });
        },
      ),
    );
  });
});
