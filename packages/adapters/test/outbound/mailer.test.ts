import { deferred, mailerConformance } from '@carillon/testkit';
import { describe, expect, test } from '@jest/globals';
import { SystemClock } from '../../src/clock/index.js';
import { MemoryMailer, NodemailerMailer } from '../../src/outbound/index.js';
import { startMailServer } from './mail-server.js';

const limitMs = 30_000;

mailerConformance('NodemailerMailer', async (limitMs) => {
  const server = await startMailServer();
  return {
    mailer: new NodemailerMailer({ host: '127.0.0.1', port: server.port, options: {}, limitMs }),
    received: server.mails.values,
    hang: server.hang,
    waiting: server.waiting,
    stopListening: server.close,
    close: server.close,
  };
});

mailerConformance('MemoryMailer', async (limitMs) => {
  const mailer = new MemoryMailer(new SystemClock(), limitMs);
  const waiting = deferred();
  mailer.onWait = () => waiting.resolve();
  return {
    mailer,
    received: mailer.taken,
    hang: () => {
      mailer.reply = 'silent';
    },
    waiting: () => waiting.promise,
    stopListening: async () => {
      mailer.reply = 'dead';
    },
    close: () => Promise.resolve(),
  };
});

describe('NodemailerMailer', () => {
  const never = new AbortController().signal;
  const mail = {
    id: 'd1',
    to: 'a@example.com',
    from: 'cron@example.com',
    subject: 's',
    headers: {},
    html: false,
    body: 'text',
  };

  test.each([
    ['right', { sent: true, description: '' }],
    ['wrong', { sent: false, code: 535, retryable: false }],
  ])('logs in with the %s password of the options', async (pass, expected) => {
    const server = await startMailServer({ password: 'right' });
    const options = { auth: { user: 'cron', pass } };
    const mailer = new NodemailerMailer({ host: '127.0.0.1', port: server.port, options, limitMs });
    const answer = await mailer.send(mail, never);
    expect(answer).toMatchObject(expected);
    expect(JSON.stringify(answer)).not.toMatch(/right|wrong/);
    await server.close();
  });

  test('options cannot make it read files', async () => {
    const server = await startMailServer();
    const options = { disableFileAccess: false, disableUrlAccess: false };
    const mailer = new NodemailerMailer({ host: '127.0.0.1', port: server.port, options, limitMs });
    const body = { path: import.meta.filename } as unknown as string;
    expect(await mailer.send({ ...mail, body }, never)).toMatchObject({ sent: false });
    expect(server.mails.values).toEqual([]);
    await server.close();
  });

  test('text that looks like headers stays text', async () => {
    const server = await startMailServer();
    const mailer = new NodemailerMailer({ host: '127.0.0.1', port: server.port, options: {}, limitMs });
    const subject = 'x\r\nBcc: spy@example.com\r\n\r\nbody';
    await mailer.send({ ...mail, subject, headers: { 'x-a': 'b\r\nX-Evil: 1' } }, never);
    expect(server.mails.values[0]).toMatchObject({
      recipients: ['a@example.com'],
      body: expect.stringMatching(/^text\s*$/),
    });
    expect(server.mails.values[0]?.headers).not.toHaveProperty('bcc');
    expect(server.mails.values[0]?.headers).not.toHaveProperty('x-evil');
    await server.close();
  });
});
