import type { Clock, Mailer, OutgoingMail, SendResult } from '@carillon/core';
import { aborted, timedOut } from './attempt.js';
import { mailHeaders } from './mail-headers.js';

/** What a server in memory does: takes mails, never answers, or is not there. */
export type MailReply = 'accepts' | 'silent' | 'dead';

interface TakenMail {
  from: string;
  recipients: string[];
  headers: Record<string, string>;
  body: string;
}

/** E-mails that go nowhere: kept in order. Recipients such as `550@example.com` are refused with that status. */
export class MemoryMailer implements Mailer {
  /** All mails that were taken, as they were given. */
  readonly sent: OutgoingMail[] = [];
  reply: MailReply = 'accepts';
  /** Called with each mail that has to wait for a silent server. */
  onWait: () => void = () => undefined;
  readonly #clock: Clock;
  readonly #limitMs: number;
  readonly #taken: TakenMail[] = [];

  /** `limitMs`: how long a silent server is waited for. */
  constructor(clock: Clock, limitMs = 60_000) {
    this.#clock = clock;
    this.#limitMs = limitMs;
  }

  /** All mails that were taken, as a server sees them. */
  get taken(): readonly TakenMail[] {
    return this.#taken;
  }

  async send(mail: OutgoingMail, signal: AbortSignal): Promise<SendResult> {
    if (signal.aborted) return aborted;
    const recipients = [mail.to, mail.cc ?? '', mail.bcc ?? ''].flatMap(addressesIn);
    if (recipients.length === 0) {
      return { sent: false, code: 'EENVELOPE', description: 'No recipients defined', retryable: false };
    }
    if (this.reply === 'dead') {
      return { sent: false, code: 'ECONNREFUSED', description: 'Connection refused', retryable: true };
    }
    if (this.reply === 'silent') return this.#wait(signal);
    const refused = recipients.filter((address) => /^\d{3}@/.test(address));
    const accepted = recipients.filter((address) => !refused.includes(address));
    if (accepted.length === 0) {
      const code = Number(refused[0]?.slice(0, 3));
      return { sent: false, code, description: `${code} refused`, retryable: code < 500 };
    }
    this.sent.push(structuredClone(mail));
    const type = mail.html ? 'text/html' : 'text/plain';
    const headers = { ...mailHeaders(mail), subject: mail.subject, 'content-type': type };
    this.#taken.push({
      from: addressesIn(mail.from)[0] ?? '',
      recipients: accepted,
      headers,
      body: mail.body,
    });
    return { sent: true, description: refused.length === 0 ? '' : `refused: ${refused.join(', ')}` };
  }

  #wait(signal: AbortSignal): Promise<SendResult> {
    return new Promise((resolve) => {
      const cancel = this.#clock.after(this.#limitMs, () => resolve(timedOut(this.#limitMs)));
      signal.addEventListener('abort', () => {
        cancel();
        resolve(aborted);
      });
      this.onWait();
    });
  }
}

const addressesIn = (list: string): string[] => list.match(/[^\s<>",@]+@[^\s<>",@]+/g) ?? [];
