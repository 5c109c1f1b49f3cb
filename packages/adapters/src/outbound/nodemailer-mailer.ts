import type { Mailer, OutgoingMail, SendResult } from '@carillon/core';
import type { createTransport } from 'nodemailer';
import { attempt, type SendFailure, timedOut } from './attempt.js';
import { mailHeaders } from './mail-headers.js';

export interface NodemailerMailerOptions {
  host: string;
  port: number;
  /** Further options of nodemailer's transport: `secure`, `auth`, `tls`, `sendmail` and so on. */
  options: Readonly<Record<string, unknown>>;
  /** Longest time of one attempt. */
  limitMs?: number;
}

const usualLimitMs = 60_000;

type Transport = ReturnType<typeof createTransport>;

/** E-mails over SMTP or sendmail, each on a connection of its own. nodemailer is loaded for the first one. */
export class NodemailerMailer implements Mailer {
  readonly #settings: Omit<NodemailerMailerOptions, 'limitMs'>;
  readonly #limitMs: number;
  #transport: Promise<Transport> | undefined;

  constructor({ limitMs = usualLimitMs, ...settings }: NodemailerMailerOptions) {
    this.#limitMs = limitMs;
    this.#settings = settings;
  }

  send(mail: OutgoingMail, signal: AbortSignal): Promise<SendResult> {
    return attempt(
      signal,
      this.#limitMs,
      (cut) => this.#send(mail, cut),
      (error) => this.#explain(error),
    );
  }

  #open(): Promise<Transport> {
    this.#transport ??= openTransport(this.#settings);
    return this.#transport;
  }

  async #send(mail: OutgoingMail, signal: AbortSignal): Promise<SendResult> {
    const { 'message-id': messageId, ...headers } = mailHeaders(mail);
    const info: unknown = await (await this.#open()).sendMail({
      from: mail.from,
      to: mail.to,
      ...(mail.cc === undefined ? {} : { cc: mail.cc }),
      ...(mail.bcc === undefined ? {} : { bcc: mail.bcc }),
      subject: mail.subject,
      messageId,
      headers,
      ...(mail.html ? { html: mail.body } : { text: mail.body }),
      signal,
    });
    const refused = refusedIn(info);
    return { sent: true, description: refused.length === 0 ? '' : `refused: ${refused.join(', ')}` };
  }

  #explain(error: unknown): SendFailure {
    const description = error instanceof Error ? error.message : String(error);
    const status = field(error, 'responseCode');
    if (typeof status === 'number') {
      return { sent: false, code: status, description, retryable: status < 500 };
    }
    const code = field(error, 'code');
    if (code === 'ETIMEDOUT') return timedOut(this.#limitMs);
    // Without an answer it is the network, unless the mail itself is at fault.
    const isLasting = code === 'EENVELOPE' || code === 'EMESSAGE' || code === 'ECONFIG' || code === 'ENOAUTH';
    return {
      sent: false,
      code: typeof code === 'string' ? code : 'network',
      description,
      retryable: !isLasting,
    };
  }
}

function refusedIn(info: unknown): string[] {
  const rejected = field(info, 'rejected');
  return Array.isArray(rejected) ? rejected.map((entry) => String(field(entry, 'address') ?? entry)) : [];
}

function field(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}

async function openTransport({
  host,
  port,
  options,
}: Omit<NodemailerMailerOptions, 'limitMs'>): Promise<Transport> {
  const { createTransport } = await import('nodemailer');
  return createTransport({
    host,
    port,
    ...options,
    // Not for the options to say: a mail's text never names files or addresses to read, credentials are not logged.
    pool: false,
    logger: false,
    debug: false,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
}
