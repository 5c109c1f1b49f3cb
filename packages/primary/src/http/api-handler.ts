import type { IncomingMessage, ServerResponse } from 'node:http';
import { CarillonError, checkParameters, openApiPath } from '@carillon/contract';
import {
  type Caller,
  type Clock,
  type Digest,
  type Logger,
  type Random,
  requirePrivilege,
} from '@carillon/core';
import type { Office, Standing } from '../office.js';
import { findEntry } from './api-route.js';
import { callerOf, type GivenCredential, readCredential, tokenCredential } from './authenticate.js';
import { Gate } from './gate.js';
import { answerPing, type CallEntry, type CallReply, type LogReply } from './calls/index.js';
import { notPrimaryJson, tooSlow, toKnownError, unanswered } from './failure.js';
import { Forwarder, forwardedHeader } from './reply/forwarder.js';
import { type OpenLog, openLog, sendLog } from './reply/log-reply.js';
import { mergeParameters, rawFields } from './request/parameters.js';
import {
  describeError,
  plainForm,
  readReplyForm,
  type ReplyForm,
  sendJson,
  sendOptions,
  sendRefusal,
} from './reply/reply.js';
import { announcesBody, ClientGone, noBody, parseBody, readBody, type RequestBody } from './request/body.js';
import { headerOf, readTarget, type RequestTarget, textOf } from './request/target.js';

export interface ApiDeps {
  standing: Standing;
  /** What a node that is not the primary does with calls that need it. */
  nonPrimary: 'redirect' | 'forward';
  digest: Digest;
  clock: Clock;
  /** For the references that join the answer of an internal error to its log line. */
  random: Random;
  log: Logger;
  /** Certificates, in PEM, that the primary's may be signed by; default: those the system trusts. */
  ca?: string | undefined;
  /** Limits of what one client may ask; default: none. */
  gate?: Gate;
  /** Largest request body; default 32 MiB. */
  maxBodyBytes?: number;
  /** Time limit of a request, and of receiving its body; default 30 s. */
  requestTimeoutMs?: number;
  /** Told of each answered call: its name, the answer's code (0 or text), and how long it took. */
  onAnswered?: (call: string, code: string | number, durationMs: number) => void;
}

/** Answers requests under `/api/`, hands others to `next`. */
export interface ApiHandler {
  (request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void): void;
  /** Closes the connections to the primary; forwarded requests under way fail. */
  close(): void;
}

/**
 * The API as a plain request handler (behaviour reference 1; API reference). It answers every request under
 * `/api/` itself, always with a JSON object (or the log asked for), and never throws. The checks come in this
 * order: primary, authentication, parameters, privilege, and then those of the call.
 */
export function createApiHandler(deps: ApiDeps): ApiHandler {
  const api = new Api(deps);
  const handle = (
    request: IncomingMessage,
    response: ServerResponse,
    next: (error?: unknown) => void,
  ): void => {
    const target = readTarget(request.url ?? '/');
    const isCall = target.path.length > 5 && target.path.startsWith('/api/');
    if (isCall && target.path !== openApiPath) api.handle(request, response, target);
    else next();
  };
  return Object.assign(handle, { close: () => api.close() });
}

/** One request on its way. */
interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly target: RequestTarget;
  readonly entry: CallEntry;
  readonly form: ReplyForm;
  readonly startedMs: number;
}

class Api {
  readonly #deps: ApiDeps;
  readonly #timeoutMs: number;
  readonly #maxBodyBytes: number;
  readonly #forwarder: Forwarder;
  readonly #gate: Gate;

  constructor(deps: ApiDeps) {
    this.#deps = deps;
    this.#gate = deps.gate ?? new Gate({ rules: {}, clock: deps.clock });
    this.#timeoutMs = deps.requestTimeoutMs ?? 30_000;
    this.#maxBodyBytes = deps.maxBodyBytes ?? 33_554_432;
    const { clock, log, standing } = deps;
    // A little longer than the primary's own limit, so that its answer arrives.
    const timeoutMs = this.#timeoutMs + 5_000;
    this.#forwarder = new Forwarder({
      nodeId: standing.nodeId,
      clock,
      log,
      timeoutMs,
      isPresent: ({ id }) => (standing.primary()?.id ?? id) === id,
      ca: deps.ca,
      vouchFor: (request) => this.#gate.vouchFor(request),
    });
  }

  close(): void {
    this.#forwarder.close();
  }

  handle(request: IncomingMessage, response: ServerResponse, target: RequestTarget): void {
    if (request.method === 'OPTIONS') {
      sendOptions(request, response);
      return;
    }
    let form = plainForm;
    try {
      form = readReplyForm(request, target.query);
      this.#gate.admit(request);
      const entry = findEntry(target.path);
      const startedMs = this.#deps.clock.monotonicMs();
      this.#answer({ request, response, target, entry, form, startedMs });
    } catch (error) {
      const { status, json, headers } = describeError(toKnownError(error, 'unknown', undefined, this.#deps));
      sendJson(response, form, status, json, headers);
    }
  }

  #answer(exchange: Exchange): void {
    const { request, entry } = exchange;
    if (entry.call.primaryOnly && this.#deps.standing.office() === undefined) {
      this.#answerElsewhere(exchange, this.#deps.nonPrimary);
    } else if (request.method === 'HEAD' || !announcesBody(request)) {
      this.#run(exchange, noBody);
    } else {
      readBody(request, this.#maxBodyBytes, this.#timeoutMs, this.#deps.clock).then(
        (bytes) => this.#runWithBody(exchange, bytes),
        (error: unknown) => this.#refuseUpload(exchange, error),
      );
    }
  }

  #runWithBody(exchange: Exchange, bytes: Buffer): void {
    let body: RequestBody;
    try {
      body = parseBody(exchange.request, bytes);
    } catch (error) {
      this.#fail(exchange, error);
      return;
    }
    this.#run(exchange, body);
  }

  /** Runs the call. Answers at once where the handler does, so that reads from memory cost no more than they must. */
  #run(exchange: Exchange, body: RequestBody): void {
    const office = this.#deps.standing.office();
    if (exchange.entry.call.primaryOnly && office === undefined) {
      // The office was lost while the body was on its way. It has been read, so it cannot be forwarded any more.
      this.#answerElsewhere(exchange, this.#deps.nonPrimary === 'forward' ? 'refuse' : 'redirect');
      return;
    }
    try {
      const reply = this.#call(exchange, body, office);
      if (typeof reply === 'string') this.#succeed(exchange, reply);
      else this.#settle(exchange, reply, office);
    } catch (error) {
      this.#fail(exchange, error, office);
    }
  }

  #call(exchange: Exchange, body: RequestBody, office: Office | undefined): CallReply | Promise<CallReply> {
    const { entry, target, request } = exchange;
    const { handler, call } = entry;
    if (handler === undefined || office === undefined) return answerPing();
    const { clock, log } = this.#deps;
    const credential = tokenCredential(call, target.query, office) ?? this.#credential(exchange, body);
    const find = (): Caller => callerOf(call, credential, office, clock.nowMs());
    if (call.checksSecret) this.#gate.beforeTry(request);
    const caller = call.auth === 'none' ? find() : this.#gate.identify(request, find);
    const params = mergeParameters(call, target.query, body);
    checkParameters(call, params);
    if (call.auth !== 'none' && call.auth !== 'valid' && call.auth !== 'session') {
      requirePrivilege(caller, call.auth);
    }
    const origin = {
      ip: this.#gate.addressOf(request),
      useragent: headerOf(request, 'user-agent'),
    };
    return handler({ office, caller, credential, origin, params, nowMs: clock.nowMs(), log });
  }

  #credential({ request, target }: Exchange, body: RequestBody): GivenCredential | undefined {
    const fields = rawFields(body);
    const given = (header: string, name: string) => [
      headerOf(request, header),
      textOf(fields, name),
      textOf(target.query, name),
    ];
    const texts = { sessions: given('x-session-id', 'session_id'), keys: given('x-api-key', 'api_key') };
    return readCredential(texts, this.#deps.digest);
  }

  /** Answers when the reply is there, or with 503 when the time is over. */
  #settle(exchange: Exchange, reply: LogReply | Promise<CallReply>, office: Office | undefined): void {
    const cancelTimer = this.#deps.clock.after(this.#timeoutMs, () => this.#fail(exchange, tooSlow()));
    this.#prepare(reply).then(
      (ready) => {
        cancelTimer();
        if (typeof ready === 'string') this.#succeed(exchange, ready);
        else this.#stream(exchange, ready);
      },
      (error: unknown) => {
        cancelTimer();
        this.#fail(exchange, this.#gate.count(exchange.request, error), office);
      },
    );
  }

  async #prepare(reply: LogReply | Promise<CallReply>): Promise<string | OpenLog> {
    const settled = await reply;
    if (typeof settled === 'string') return settled;
    try {
      return await openLog(settled);
    } catch (error) {
      this.#deps.log.log('warn', 'A log could not be read', { job: settled.job, error: String(error) });
      throw new CarillonError(
        'unavailable',
        'The log cannot be read at the moment. Please repeat the request.',
      );
    }
  }

  #stream(exchange: Exchange, log: OpenLog): void {
    this.#report(exchange, 0);
    sendLog(exchange.request, exchange.response, log).catch((error: unknown) => {
      this.#deps.log.log('info', 'A log was not sent to its end', { error: String(error) });
    });
  }

  #succeed(exchange: Exchange, json: string): void {
    // After the time limit the client has its answer already.
    if (exchange.response.headersSent) return;
    sendJson(exchange.response, exchange.form, 200, json);
    this.#report(exchange, 0);
  }

  #fail(exchange: Exchange, error: unknown, office?: Office): void {
    const known = toKnownError(error, exchange.entry.name, office, this.#deps);
    if (exchange.response.headersSent) return;
    const { status, json, headers } = describeError(known);
    sendJson(exchange.response, exchange.form, status, json, headers);
    this.#report(exchange, known.code);
  }

  #refuseUpload(exchange: Exchange, error: unknown): void {
    if (error instanceof ClientGone) return;
    const known = toKnownError(error, exchange.entry.name, undefined, this.#deps);
    sendRefusal(exchange.request, exchange.response, exchange.form, known, this.#deps.clock);
    this.#report(exchange, known.code);
  }

  /** Redirects, forwards or refuses a call that only the primary answers (behaviour reference 1.8). */
  #answerElsewhere(exchange: Exchange, manner: 'redirect' | 'forward' | 'refuse'): void {
    const { request, response, target, form } = exchange;
    const { standing } = this.#deps;
    const primary = standing.primary();
    // A forwarded request that arrives here met a change of primary: the node that forwarded it says "later".
    const isForwarded = request.headers[forwardedHeader] !== undefined;
    if (primary === undefined || primary.id === standing.nodeId || isForwarded || manner === 'refuse') {
      sendJson(response, form, 503, notPrimaryJson(), ['Retry-After', '1']);
      this.#report(exchange, 'master');
    } else if (manner === 'redirect') {
      const location = primary.url + target.pathAndQuery;
      sendJson(response, form, 302, notPrimaryJson(location), ['Location', location]);
      this.#report(exchange, 'master');
    } else if (Number(request.headers['content-length']) > this.#maxBodyBytes) {
      this.#refuseUpload(exchange, new CarillonError('too_large', 'The request body is too large'));
    } else {
      const refuse = (mayHaveArrived: boolean) =>
        mayHaveArrived ? this.#fail(exchange, unanswered()) : this.#answerElsewhere(exchange, 'refuse');
      this.#forwarder.forward(request, response, target.pathAndQuery, primary, refuse);
    }
  }

  #report({ entry, startedMs }: Exchange, code: string | number): void {
    this.#deps.onAnswered?.(entry.name, code, this.#deps.clock.monotonicMs() - startedMs);
  }
}
