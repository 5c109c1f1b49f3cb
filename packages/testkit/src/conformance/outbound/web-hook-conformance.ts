import type { HookRequest, WebHookSender } from '@carillon/core';
import { describe, expect, test } from '@jest/globals';

/** A request as the receiver saw it; header names in lower case. */
export interface ReceivedHook {
  path: string;
  headers: Record<string, string>;
  body: string;
}

/** A sender, and a receiver under the test's control. */
export interface WebHookSubject {
  sender: WebHookSender;
  /** A URL of the receiver that answers with this status; with `location` as a redirect. */
  answering(status: number, location?: string): string;
  /** A URL whose answer never comes. */
  readonly silent: string;
  /** A URL where nobody listens. */
  readonly dead: string;
  readonly received: readonly ReceivedHook[];
  /** Resolves when that many requests have arrived. */
  arrived(count: number): Promise<void>;
  close(): Promise<void>;
}

type Run = (body: (subject: WebHookSubject) => Promise<void>) => () => Promise<void>;

const never = new AbortController().signal;
const requestTo = (url: string, settings: Partial<HookRequest> = {}): HookRequest => ({
  url,
  headers: { 'content-type': 'application/json', 'user-agent': 'Carillon/1', 'x-own': 'ok' },
  body: '{"text":"ünïcode ✔"}\n',
  timeoutMs: 5_000,
  follow: 0,
  rejectUnauthorized: true,
  ...settings,
});

/** What every implementation of WebHookSender must do; `open` makes one with a receiver. */
export function webHookConformance(name: string, open: () => Promise<WebHookSubject>): void {
  const withSender: Run = (body) => async () => {
    const subject = await open();
    try {
      await body(subject);
    } finally {
      await subject.close();
    }
  };
  describe(`${name}: WebHookSender`, () => {
    describeAnswers(withSender);
    describeTrouble(withSender);
  });
}

function describeAnswers(withSender: Run): void {
  test(
    'posts the body and the headers as they are',
    withSender(async ({ sender, answering, received }) => {
      const url = answering(200);
      expect(await sender.post(requestTo(url), never)).toEqual({
        sent: true,
        description: expect.any(String),
      });
      expect(received).toHaveLength(1);
      expect(received[0]).toMatchObject({
        body: '{"text":"ünïcode ✔"}\n',
        headers: { 'content-type': 'application/json', 'user-agent': 'Carillon/1', 'x-own': 'ok' },
      });
      expect(url.endsWith(received[0]?.path ?? '?')).toBe(true);
    }),
  );

  test.each([200, 201, 204, 299])('%i is success', (status) =>
    withSender(async ({ sender, answering }) => {
      expect(await sender.post(requestTo(answering(status)), never)).toMatchObject({ sent: true });
    })(),
  );

  test.each([
    [302, false],
    [400, false],
    [401, false],
    [404, false],
    [410, false],
    [501, true],
    [408, true],
    [425, true],
    [429, true],
    [500, true],
    [503, true],
  ])('%i is a failure; it may pass: %s', (status, retryable) =>
    withSender(async ({ sender, answering }) => {
      expect(await sender.post(requestTo(answering(status)), never)).toMatchObject({
        sent: false,
        code: status,
        retryable,
        description: expect.stringContaining(String(status)),
      });
    })(),
  );

  test(
    'follows redirects as a POST when told so, and no more than told',
    withSender(async ({ sender, answering, received }) => {
      const once = answering(302, answering(200));
      expect(await sender.post(requestTo(once, { follow: 1 }), never)).toMatchObject({ sent: true });
      expect(received.map(({ body }) => body)).toEqual(['{"text":"ünïcode ✔"}\n', '{"text":"ünïcode ✔"}\n']);
      const twice = answering(307, answering(302, answering(200)));
      expect(await sender.post(requestTo(twice, { follow: 1 }), never)).toMatchObject({
        sent: false,
        retryable: false,
      });
    }),
  );
}

function describeTrouble(withSender: Run): void {
  test(
    'nobody there is a failure that may pass',
    withSender(async ({ sender, dead }) => {
      expect(await sender.post(requestTo(dead), never)).toMatchObject({ sent: false, retryable: true });
    }),
  );

  test.each(['http://', 'no url', 'http://h:99999/', 'ftp://h/'])('%j is a failure that stays', (url) =>
    withSender(async ({ sender }) => {
      expect(await sender.post(requestTo(url), never)).toMatchObject({ sent: false, retryable: false });
    })(),
  );

  test(
    'an answer that does not come is waited for no longer than said',
    withSender(async ({ sender, silent }) => {
      expect(await sender.post(requestTo(silent, { timeoutMs: 50 }), never)).toMatchObject({
        sent: false,
        code: 'timeout',
        retryable: true,
      });
    }),
  );

  test(
    'an aborted attempt ends at once, before and while it waits',
    withSender(async ({ sender, silent, arrived }) => {
      const controller = new AbortController();
      const attempt = sender.post(requestTo(silent), controller.signal);
      await arrived(1);
      controller.abort();
      expect(await attempt).toMatchObject({ sent: false, code: 'aborted', retryable: true });
      expect(await sender.post(requestTo(silent), controller.signal)).toMatchObject({ code: 'aborted' });
    }),
  );
}
