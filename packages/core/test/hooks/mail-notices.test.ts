import type { Delivery, MailDelivery } from '@carillon/contract';
import {
  defaultMailTemplates,
  mailTemplateProblem,
  planCompletionNotices,
  planEventErrorNotices,
  planLaunchFailureNotices,
} from '@carillon/core';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { aRecord, noticeContext } from '../support/notices.js';

const rule = { failMail: true };
const lists = { notify_success: 'ok@example.com', notify_fail: 'bad+1@example.com, "B, C" <c@example.com>' };
const success = { ...lists, code: 0 };

function mailIn(deliveries: Delivery[]): MailDelivery {
  const [mail] = deliveries.filter((delivery): delivery is MailDelivery => delivery.type === 'mail');
  if (mail === undefined) throw new Error('no mail');
  return mail;
}

const failMail = (fields: Record<string, unknown>, template?: string) =>
  mailIn(
    planCompletionNotices(
      aRecord({ ...lists, ...fields }),
      rule,
      template === undefined
        ? noticeContext()
        : noticeContext({ mail: { templates: { ...defaultMailTemplates, job_fail: template } } }),
    ),
  );

describe('who gets an e-mail', () => {
  test.each([
    [{ ...success }, 'ok@example.com', 'job_success', '✅ Carillon Job Completed Successfully: Nightly'],
    [{ ...lists }, lists.notify_fail, 'job_fail', '⚠️ Carillon Job Failed: Nightly'],
    [{ ...lists, code: 'odd' }, lists.notify_fail, 'job_fail', '⚠️ Carillon Job Failed: Nightly'],
  ])('%j', (fields, to, action, subject) => {
    const mail = mailIn(planCompletionNotices(aRecord(fields), rule, noticeContext()));
    expect(mail).toMatchObject({
      to,
      action,
      subject,
      from: 'admin@localhost',
      event: 'e1',
      job: 'j1',
      html: false,
    });
  });

  test.each([
    [{ code: 0, notify_fail: 'x@example.com' }],
    [{ notify_success: 'x@example.com' }],
    [{ notify_fail: ' ' }],
    [{ notify_fail: 7 }],
  ])('nobody with %j', (fields) => {
    expect(planCompletionNotices(aRecord(fields), rule, noticeContext())).toEqual([]);
  });

  test.each([
    [false, false, 0],
    [false, true, 1],
    [true, false, 1],
  ])('failMail %s, email_on_manual_abort %s: %i mails', (failMailRule, onManualAbort, count) => {
    const context = noticeContext({ mail: { onManualAbort } });
    expect(planCompletionNotices(aRecord(lists), { failMail: failMailRule }, context)).toHaveLength(count);
  });

  test('a success is told, whatever is said about failures', () => {
    expect(planCompletionNotices(aRecord(success), { failMail: false }, noticeContext())).toHaveLength(1);
  });

  test('event errors go to the recipients given', () => {
    const event = { id: 'e2', title: 'Other', notes: '' };
    const [mail] = planEventErrorNotices(
      'x@example.com',
      event,
      'Failed to launch chain reaction: no',
      noticeContext(),
    );
    expect(mail).toMatchObject({
      to: 'x@example.com',
      event: 'e2',
      subject: '⚠️ Carillon Event Error: Other',
    });
    expect(mail?.body).toMatch(
      /Failed to launch chain reaction: no[^]*primary\.test[^]*2023\/11\/14 22:13:20 \(GMT\+0\)/,
    );
    expect(planEventErrorNotices('', event, 'x', noticeContext())).toEqual([]);
  });

  test('a failed launch is told in full, once, to the event before its category', () => {
    const event = { id: 'e1', title: 'Nightly', notify_fail: 'e@example.com' };
    const planned = planLaunchFailureNotices(
      event,
      { notify_fail: 'c@example.com' },
      'No servers',
      noticeContext(),
    );
    expect(planned).toHaveLength(1);
    expect(mailIn(planned)).toMatchObject({ to: 'e@example.com', action: 'event_error' });
    expect(mailIn(planned).body).toContain('Failed to launch scheduled event: Nightly: No servers');
  });
});

describe('the shipped templates', () => {
  test('have no fault, and leave no placeholder of a finished job', () => {
    expect(Object.values(defaultMailTemplates).map(mailTemplateProblem)).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    const bodies = [
      failMail({}).body,
      mailIn(planCompletionNotices(aRecord(success), rule, noticeContext())).body,
      mailIn(planEventErrorNotices('a@example.com', { id: 'e', title: 'T' }, 'd', noticeContext())).body,
    ];
    for (const body of bodies) expect(body).not.toMatch(/\[\/?\w/);
  });

  test.each([
    [{ elapsed: 90 }, 'Elapsed:    1 minute, 30 seconds'],
    [{ elapsed: 0.2 }, 'Elapsed:    0 seconds'],
    [{ elapsed: 90_061 }, 'Elapsed:    1 day, 1 hour'],
    [{ log_file_size: 2048 }, 'Log size:   2 K'],
    [{ log_file_size: 1_610_612_736 }, 'Log size:   1.5 GB'],
    [{}, 'CPU:        (Unknown)'],
    [{ cpu: { min: 0, max: 50, total: 75, count: 2, current: 1 } }, 'CPU:        37.5% (Peak: 50%)'],
    [{ mem: { min: 0, max: 2048, total: 2048, count: 2, current: 1 } }, 'Memory:     1 K (Peak: 2 K)'],
    [{ pid: undefined }, 'Process ID: (Unknown)'],
    [{ perf: 'a=1' }, 'metrics:\na=1'],
    [{ perf: { a: 1 } }, 'metrics:\n{"a":1}'],
    [{ perf: {} }, '(No metrics provided)'],
    [{ description: '' }, '(No description provided)'],
    [{ notes: 'Call Bob' }, 'event:\nCall Bob'],
    [{ notes: '' }, '(None)'],
    [{}, 'http://cron.test/#JobDetails?id=j1'],
  ])('of a job with %j say %j', (fields, words) => {
    expect(failMail(fields).body).toContain(words);
  });
});

describe('own templates', () => {
  test('give every header, folded lines too; the body keeps its lines', () => {
    const template = [
      'To: [/notify_fail],\r',
      '  more@example.com\r',
      'From: Cron <cron@example.com>\r',
      'CC: a@example.com\r',
      'Cc: b@example.com\r',
      'Bcc: c@example.com\r',
      'X-Priority: [/code]\r',
      'Content-Type: text/evil\r',
      'Attachments: /etc/passwd\r',
      'Subject: [/event_title]: [/params/script]\r',
      '\r',
      'one\r',
      '\r',
      'two [/nothing]',
    ].join('\n');
    expect(failMail({ notify_fail: 'x@example.com' }, template)).toMatchObject({
      to: 'x@example.com, more@example.com',
      from: 'Cron <cron@example.com>',
      cc: 'a@example.com, b@example.com',
      bcc: 'c@example.com',
      headers: { 'x-priority': '2' },
      subject: 'Nightly: echo',
      body: 'one\n\ntwo [/nothing]',
    });
    expect(failMail({}, template).headers).toEqual({ 'x-priority': '2' });
  });

  test('whose body starts with < are HTML, and values cannot add markup to it', () => {
    const template = 'To: a@example.com\nSubject: s\n\n<b title="[/label]">[/description]</b>';
    expect(failMail({ description: '<script>&"', label: '"\'' }, template)).toMatchObject({
      html: true,
      body: '<b title="&quot;&#39;">&lt;script&gt;&amp;&quot;</b>',
    });
  });

  test('see of the configuration and the job what is meant for messages', () => {
    const template =
      'To: a@example.com\nSubject: s\n\n[/config/email_from] [/config/secret_key] [/env/TOKEN] [/version]';
    expect(failMail({ env: { TOKEN: 'x' } }, template).body).toBe(
      'admin@localhost [/config/secret_key] [/env/TOKEN] 9.9',
    );
  });

  test.each([
    ['', 'it has no `To:` line at its start'],
    ['\nTo: x\nSubject: y\n\nz', 'it has no `To:` line at its start'],
    ['To: x\n\nSubject: y', 'it has no `Subject:` line at its start'],
    ['To: x\nSubject: y\n\n  ', 'it has no text after an empty line'],
    ['to: x\nSUBJECT: y\n\nz', undefined],
    ['\uFEFFTo: x\r\nSubject: y\r\n\r\nz', undefined],
  ])('%j: %s', (template, problem) => {
    expect(mailTemplateProblem(template)).toBe(problem);
  });
});

describe('header injection', () => {
  const lineBreaks = fc.constantFrom('\r\n', '\n', '\r', '\u2028', '\u0085', '\0', '\v');
  const nasty = fc
    .array(
      fc.oneof(lineBreaks, fc.string(), fc.constantFrom('Bcc: spy@example.com', '[/notify_fail]', '\n\n<b>')),
    )
    .map((pieces) => pieces.join(''));

  test('no value reaches beyond its header', () => {
    const template = `${defaultMailTemplates.job_fail.replace('\n\n', '\nX-Label: [/label]\nCc: [/label]\n\n')}`;
    fc.assert(
      fc.property(nasty, nasty, nasty, (title, label, to) => {
        const record = aRecord({ event_title: title, label, notify_fail: `a@example.com${to}` });
        const context = noticeContext({
          mail: { templates: { ...defaultMailTemplates, job_fail: template } },
        });
        const mail = mailIn(planCompletionNotices(record, rule, context));
        const texts = [
          mail.to,
          mail.from,
          mail.subject,
          mail.cc ?? '',
          ...Object.entries(mail.headers).flat(),
        ];
        // oxlint-disable-next-line no-control-regex -- what a header may not hold
        expect(texts.every((text) => !/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(text))).toBe(true);
        expect(mail.bcc).toBeUndefined();
        expect(Object.keys(mail.headers).filter((name) => name !== 'x-label')).toEqual([]);
        expect(mail.html).toBe(false);
      }),
    );
  });

  test('templates of any text never throw', () => {
    fc.assert(
      fc.property(nasty, fc.string(), (template, label) => {
        const context = noticeContext({
          mail: { templates: { ...defaultMailTemplates, job_fail: template } },
        });
        expect(planCompletionNotices(aRecord({ ...lists, label }), rule, context)).toHaveLength(1);
        mailTemplateProblem(template);
      }),
    );
  });
});
