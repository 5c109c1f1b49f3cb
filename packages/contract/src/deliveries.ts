import type { Static } from 'typebox';
import { Type } from './schema.js';
import { Id } from './fields.js';

/** What a delivery is about. For web hooks this is the `action` of the payload (behaviour reference 7.1, 7.2). */
export type HookAction = 'job_start' | 'job_complete' | 'job_launch_failure';
export type MailAction = 'job_success' | 'job_fail' | 'event_error' | 'recover_password';

interface DeliveryBase {
  /** Also what a receiver can recognise a repeated delivery by. */
  id: string;
  /** When it was planned, Unix milliseconds. */
  createdMs: number;
  /** Event ID; empty when it is about none. */
  event: string;
  /** Job ID; absent when no job came to be. */
  job?: string;
}

/** How a web hook is sent (`web_hook_custom_opts`). */
export interface HookOptions {
  /** Tries after the first; absent = the usual number. */
  retries?: number;
  /** Redirects that are followed; 0 = none. */
  follow: number;
  /** False: any certificate will do. */
  rejectUnauthorized: boolean;
  /** Longest wait for the first byte of the answer. */
  timeoutMs: number;
}

/** A web hook, rendered: nothing is looked up when it is sent. */
export interface HookDelivery extends DeliveryBase {
  type: 'hook';
  action: HookAction;
  url: string;
  headers: Record<string, string>;
  /** JSON and a line feed. */
  body: string;
  options: HookOptions;
}

/** An e-mail, rendered. No text of it holds a line break, except the body. */
export interface MailDelivery extends DeliveryBase {
  type: 'mail';
  action: MailAction;
  /** Comma separated addresses. */
  to: string;
  cc?: string;
  bcc?: string;
  from: string;
  subject: string;
  /** Further headers of the template. */
  headers: Record<string, string>;
  /** True: the body is HTML. */
  html: boolean;
  body: string;
}

/** A web hook or an e-mail on its way. Plain data, so that it survives a change of the primary. */
export type Delivery = HookDelivery | MailDelivery;

/** The record of a delivery that is over: a row of get_deliveries. Holds no credentials. */
export const DeliveryRow = Type.Object(
  {
    id: Id,
    type: Type.Union([Type.Literal('hook'), Type.Literal('mail')]),
    action: Type.String(),
    event: Type.String(),
    job: Type.Optional(Type.String()),
    target: Type.String({ description: 'URL without user, query and suffixes, or the recipients' }),
    attempts: Type.Integer({ description: 'How often it was tried' }),
    code: Type.Union([Type.Number(), Type.String()], {
      description: '0 = delivered; otherwise the status of the answer or a word for the kind of failure',
    }),
    description: Type.String(),
    epoch: Type.Integer({ description: 'Unix time of the last attempt' }),
    elapsed: Type.Number({ description: 'Seconds since the delivery was due' }),
  },
  { additionalProperties: true },
);
export type DeliveryRow = Static<typeof DeliveryRow>;
