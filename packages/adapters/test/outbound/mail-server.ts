import type { AddressInfo } from 'node:net';
import { Collector, deferred, type ReceivedMail } from '@carillon/testkit';
import {
  SMTPServer,
  type SMTPServerAddress,
  type SMTPServerDataStream,
  type SMTPServerSession,
} from 'smtp-server';

/** A real SMTP server: takes mails, refuses recipients `NNN@…` with that status. */
export async function startMailServer(options: { password?: string } = {}) {
  const mails = new Collector<ReceivedMail>();
  const waiting = deferred();
  let isHanging = false;
  const server = new SMTPServer({
    disabledCommands: ['STARTTLS'],
    authOptional: options.password === undefined,
    allowInsecureAuth: true,
    closeTimeout: 10,
    onConnect: (_session, answer) => {
      if (!isHanging) answer();
      else waiting.resolve();
    },
    onAuth: (auth, _session, answer) => {
      if (auth.password === options.password) answer(null, { user: auth.username ?? '' });
      else answer(refusal(535));
    },
    onRcptTo: ({ address }, _session, answer) => {
      const status = /^(\d{3})@/.exec(address)?.[1];
      answer(status === undefined ? null : refusal(Number(status)));
    },
    onData: (stream, session, answer) => {
      take(stream, session).then(
        (mail) => {
          mails.add(mail);
          answer();
        },
        (error: Error) => answer(error),
      );
    },
  });
  // Connections that break off are part of the tests.
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const port = (server.server.address() as AddressInfo).port;
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closed ??= new Promise<void>((resolve) => server.close(() => resolve()));
    return closed;
  };
  return {
    port,
    mails,
    hang: () => {
      isHanging = true;
    },
    waiting: () => waiting.promise,
    close,
  };
}

const refusal = (responseCode: number): Error =>
  Object.assign(new Error(`${responseCode} refused`), { responseCode });

async function take(stream: SMTPServerDataStream, session: SMTPServerSession): Promise<ReceivedMail> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  const sender: false | SMTPServerAddress = session.envelope.mailFrom;
  const recipients = session.envelope.rcptTo.map(({ address }) => address);
  return {
    from: sender === false ? '' : sender.address,
    recipients,
    ...readMail(Buffer.concat(chunks).toString()),
  };
}

function readMail(text: string): Pick<ReceivedMail, 'headers' | 'body'> {
  const end = text.indexOf('\r\n\r\n');
  const lines = text
    .slice(0, end)
    .replaceAll(/\r\n[ \t]+/g, ' ')
    .split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), decodeWords(line.slice(colon + 1).trim())];
    }),
  );
  const body = decodeBody(text.slice(end + 4), headers['content-transfer-encoding'] ?? '7bit');
  return { headers, body: body.replaceAll('\r\n', '\n') };
}

function decodeBody(text: string, encoding: string): string {
  if (encoding === 'base64') return Buffer.from(text, 'base64').toString();
  return encoding === 'quoted-printable' ? decodeQuoted(text.replaceAll(/=\r\n/g, '')) : text;
}

const decodeQuoted = (text: string): string =>
  Buffer.from(
    text.replaceAll(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  ).toString();

const decodeWords = (text: string): string =>
  text
    .replaceAll(/\?=\s+=\?/g, '?==?')
    .replaceAll(/=\?utf-8\?([QB])\?([^?]*)\?=/gi, (_, kind: string, word: string) =>
      kind.toUpperCase() === 'B'
        ? Buffer.from(word, 'base64').toString()
        : decodeQuoted(word.replaceAll('_', ' ')),
    );
