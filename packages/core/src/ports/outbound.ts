import type { MailDelivery } from '@carillon/contract';

/**
 * How an attempt to send ended. `code` is the status of the answer or a word for the kind of failure;
 * `description` names no credentials.
 */
export type SendResult =
  | { sent: true; description: string }
  | {
      sent: false;
      code: number | string;
      description: string;
      /** True: it may work later. */
      retryable: boolean;
    };

/** A web hook as it is sent. */
export interface HookRequest {
  url: string;
  headers: Readonly<Record<string, string>>;
  body: string;
  /** Longest wait for the first byte of the answer; the whole attempt ends within twice this time. */
  timeoutMs: number;
  /** Redirects that are followed; 0 = a redirect is a failure. */
  follow: number;
  /** False: any certificate will do. */
  rejectUnauthorized: boolean;
}

/**
 * Posts web hooks. An answer of 2xx is success; 408, 425, 429, 5xx and everything that kept an answer from coming are
 * failures that may pass, all else are not. Never rejects, never hangs; when the signal aborts the connection
 * is cut and the attempt ends with the code `aborted`.
 */
export interface WebHookSender {
  post(request: HookRequest, signal: AbortSignal): Promise<SendResult>;
}

/** An e-mail as it is sent; `id` becomes part of its Message-ID, so that a repeated one can be recognised. */
export type OutgoingMail = Pick<
  MailDelivery,
  'id' | 'to' | 'cc' | 'bcc' | 'from' | 'subject' | 'headers' | 'html' | 'body'
>;

/**
 * Sends e-mails. Success is one recipient accepted; those refused are named in the description. Answers of 4xx and
 * everything that kept an answer from coming are failures that may pass, 5xx are not. Never rejects, never
 * hangs; when the signal aborts the attempt ends with the code `aborted`. Reads no files and no URLs.
 */
export interface Mailer {
  send(mail: OutgoingMail, signal: AbortSignal): Promise<SendResult>;
}
