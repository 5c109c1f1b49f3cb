import { systemTimer, type Timer } from './timer.js';

/** How long and how often a call is repeated. */
export interface RetryOptions {
  /** No new attempt of a call after this time; 0 = one attempt. Defaults to 15 s. */
  deadlineMs?: number;
  /** The same while no node at all has accepted a connection. Defaults to `deadlineMs`. */
  connectDeadlineMs?: number;
  /** First pause between two attempts; doubles each time. Defaults to 100 ms. */
  minDelayMs?: number;
  /** Longest pause. Defaults to 1 s. */
  maxDelayMs?: number;
}

export interface ClientOptions {
  /** Base URL of any node or load balancer, such as `http://127.0.0.1:3012`. */
  url?: string;
  /** Several of them, tried in turn. */
  urls?: readonly string[];
  /** Sent as `X-API-Key`, to the configured URLs and to where they redirect within the cluster. */
  apiKey?: string;
  /** Session of a user, sent as `X-Session-ID`; it counts where there is a key as well. */
  sessionId?: string;
  /** Longest time of one attempt. Defaults to 30 s. */
  timeoutMs?: number;
  /** Longest time to connect. Defaults to 5 s. */
  connectTimeoutMs?: number;
  retry?: RetryOptions;
  /**
   * Repeat writes also when the connection broke after the request was sent. Off by default: the write may have been
   * done already, and `run_event` would then start a second job.
   */
  retryWrites?: boolean;
  /** Authorities, in PEM, that the certificates of https nodes may be signed by. Defaults to those the system trusts. */
  ca?: string;
  /**
   * Where a node that a redirect names is reached, when not at the address that it announces: behind forwarded ports, for
   * example. Gets and answers a base URL without a slash at its end.
   */
  route?: (announced: string) => string;
  /** Go on from https to an http node when redirected there. Off by default: the key would travel unprotected. */
  allowInsecureRedirect?: boolean;
  /** Pause between two status requests when the live channel cannot be used. Defaults to 1 s. */
  pollMs?: number;
  timer?: Timer;
}

/** Options of one call. */
export interface CallOptions {
  /** Ends the call; it rejects with the signal's reason. */
  signal?: AbortSignal;
  timeoutMs?: number;
  deadlineMs?: number;
}

/** Client options, complete and checked. */
export interface Settings {
  readonly urls: readonly string[];
  readonly apiKey: string | undefined;
  readonly sessionId: string | undefined;
  readonly timeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly retry: Required<RetryOptions>;
  readonly retryWrites: boolean;
  readonly ca: string | undefined;
  readonly route: (announced: string) => string;
  readonly allowInsecureRedirect: boolean;
  readonly pollMs: number;
  readonly timer: Timer;
}

/** Fills in the defaults. Throws TypeError when there is no usable URL or the key cannot be sent as a header. */
export function readOptions(options: ClientOptions): Settings {
  const urls = [...(options.url === undefined ? [] : [options.url]), ...(options.urls ?? [])].map(
    readBaseUrl,
  );
  if (urls.length === 0) throw new TypeError('createClient: give a url or urls');
  const apiKey = readCredential('API key', options.apiKey);
  const sessionId = readCredential('session id', options.sessionId);
  const deadlineMs = options.retry?.deadlineMs ?? 15_000;
  return {
    urls,
    apiKey,
    sessionId,
    timeoutMs: options.timeoutMs ?? 30_000,
    connectTimeoutMs: options.connectTimeoutMs ?? 5000,
    retry: {
      deadlineMs,
      connectDeadlineMs: options.retry?.connectDeadlineMs ?? deadlineMs,
      minDelayMs: options.retry?.minDelayMs ?? 100,
      maxDelayMs: options.retry?.maxDelayMs ?? 1000,
    },
    retryWrites: options.retryWrites ?? false,
    ca: options.ca,
    route: options.route ?? ((announced) => announced),
    allowInsecureRedirect: options.allowInsecureRedirect ?? false,
    pollMs: options.pollMs ?? 1000,
    timer: options.timer ?? systemTimer,
  };
}

function readCredential(noun: string, given: string | undefined): string | undefined {
  const text = given?.trim();
  if (text !== undefined && !/^[\x21-\x7e]*$/.test(text)) {
    throw new TypeError(`createClient: the ${noun} contains characters that cannot be sent`);
  }
  return text === '' ? undefined : text;
}

/** The headers that tell who calls. */
export const credentialHeaders = ({
  apiKey,
  sessionId,
}: Pick<Settings, 'apiKey' | 'sessionId'>): Record<string, string> => ({
  ...(apiKey === undefined ? {} : { 'x-api-key': apiKey }),
  ...(sessionId === undefined ? {} : { 'x-session-id': sessionId }),
});

function readBaseUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new TypeError(`Not an http or https URL: ${text}`);
  }
  return `${url.protocol}//${url.username === '' ? '' : `${url.username}:${url.password}@`}${url.host}${url.pathname}`.replace(
    /\/+$/,
    '',
  );
}
