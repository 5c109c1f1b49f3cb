import type { Mailer, OutgoingMail } from '@carillon/core';
import { describe, expect, test } from '@jest/globals';

/** A mail as the server took it. */
export interface ReceivedMail {
  from: string;
  recipients: string[];
  /** Names in lower case; decoded. */
  headers: Record<string, string>;
  body: string;
}

/** A mailer, and a server under the test's control that refuses recipients `NNN@…` with the status NNN. */
export interface MailerSubject {
  mailer: Mailer;
  readonly received: readonly ReceivedMail[];
  /** From now on the server answers nothing. */
  hang(): void;
  /** Resolves when a client waits for the server that hangs. */
  waiting(): Promise<void>;
  /** Nobody listens any more. */
  stopListening(): Promise<void>;
  close(): Promise<void>;
}

const never = new AbortController().signal;
const mailTo = (to: string, settings: Partial<OutgoingMail> = {}): OutgoingMail => ({
  id: 'd1',
  to,
  from: 'cron@example.com',
  subject: '⚠️ Failed: Nightly',
  headers: { 'x-own': 'ok' },
  html: false,
  body: 'Ünïcode body ✔\nsecond line\n',
  ...settings,
});

type Run = (body: (subject: MailerSubject) => Promise<void>, limitMs?: number) => () => Promise<void>;

/** A server that answers is waited for as long as it takes on a busy machine. */
const patientMs = 30_000;

/** What every implementation of Mailer must do; `open` makes one, that waits so long for its server. */
export function mailerConformance(name: string, open: (limitMs: number) => Promise<MailerSubject>): void {
  const withMailer: Run =
    (body, limitMs = patientMs) =>
    async () => {
      const subject = await open(limitMs);
      try {
        await body(subject);
      } finally {
        await subject.close();
      }
    };
  describe(`${name}: Mailer`, () => {
    describeMails(withMailer);
    describeRefusals(withMailer);
  });
}

function describeMails(withMailer: Run): void {
  test(
    'a text arrives with its headers at all recipients',
    withMailer(async ({ mailer, received }) => {
      const mail = mailTo('a+1@example.com, "B, C" <b@example.com>', {
        cc: 'c@example.com',
        bcc: 'd@example.com',
      });
      expect(await mailer.send(mail, never)).toMatchObject({ sent: true });
      expect(received).toHaveLength(1);
      expect(received[0]).toMatchObject({
        from: 'cron@example.com',
        recipients: ['a+1@example.com', 'b@example.com', 'c@example.com', 'd@example.com'],
        headers: {
          subject: '⚠️ Failed: Nightly',
          'x-own': 'ok',
          'content-type': expect.stringMatching(/^text\/plain/),
          'auto-submitted': 'auto-generated',
          'message-id': expect.stringMatching(/^<d1\.carillon@/),
        },
      });
      expect(received[0]?.headers).not.toHaveProperty('bcc');
      expect(received[0]?.body.trimEnd()).toBe('Ünïcode body ✔\nsecond line');
    }),
  );

  test(
    'HTML arrives as HTML',
    withMailer(async ({ mailer, received }) => {
      await mailer.send(mailTo('a@example.com', { html: true, body: '<b>x</b>' }), never);
      expect(received[0]?.headers['content-type']).toMatch(/^text\/html/);
      expect(received[0]?.body.trimEnd()).toBe('<b>x</b>');
    }),
  );

  test(
    'a mail to nobody is a failure that stays',
    withMailer(async ({ mailer, received }) => {
      for (const to of ['', ' , ', '[/notify_fail]']) {
        expect(await mailer.send(mailTo(to), never)).toMatchObject({ sent: false, retryable: false });
      }
      expect(received).toEqual([]);
    }),
  );
}

function describeRefusals(withMailer: Run): void {
  test.each([
    ['550', false],
    ['450', true],
  ])('status %s is a failure; it may pass: %s', (status, retryable) =>
    withMailer(async ({ mailer, received }) => {
      expect(await mailer.send(mailTo(`${status}@example.com`), never)).toMatchObject({
        sent: false,
        code: Number(status),
        retryable,
        description: expect.stringContaining(status),
      });
      expect(received).toEqual([]);
    })(),
  );

  test(
    'one accepted recipient is success; the refused ones are named',
    withMailer(async ({ mailer, received }) => {
      const answer = await mailer.send(mailTo('a@example.com, 550@example.com'), never);
      expect(answer).toMatchObject({ sent: true, description: expect.stringContaining('550@example.com') });
      expect(received[0]?.recipients).toEqual(['a@example.com']);
    }),
  );

  test(
    'nobody there is a failure that may pass',
    withMailer(async ({ mailer, stopListening }) => {
      await stopListening();
      expect(await mailer.send(mailTo('a@example.com'), never)).toMatchObject({
        sent: false,
        retryable: true,
      });
    }),
  );

  test(
    'a server that answers nothing is given up',
    withMailer(async ({ mailer, hang }) => {
      hang();
      const answer = await mailer.send(mailTo('a@example.com'), never);
      expect(answer).toMatchObject({ sent: false, code: 'timeout', retryable: true });
    }, 100),
  );

  test(
    'an aborted attempt ends at once, before and while it waits',
    withMailer(async ({ mailer, hang, waiting }) => {
      hang();
      const controller = new AbortController();
      const attempt = mailer.send(mailTo('a@example.com'), controller.signal);
      await waiting();
      controller.abort();
      expect(await attempt).toMatchObject({ sent: false, code: 'aborted', retryable: true });
      expect(await mailer.send(mailTo('a@example.com'), controller.signal)).toMatchObject({
        code: 'aborted',
      });
    }),
  );
}
