import { liveChannelPath, type LiveEvent, type LiveRequest } from '@carillon/contract';
import { WebSocket } from 'ws';
import { credentialHeaders } from '../options.js';
import { parseObject } from '../plan-step.js';
import { redirectedBase } from '../primary-route.js';
import type { Timer } from '../timer.js';

export interface LiveSessionOptions {
  /** Base URL of the node to connect to. */
  base: string;
  apiKey: string | undefined;
  sessionId: string | undefined;
  /** Job to watch. */
  id: string;
  allowInsecureRedirect: boolean;
  timer: Timer;
  signal: AbortSignal;
  /** Answers true when the session shall end. What it throws ends the session with that error. */
  onEvent(event: Extract<LiveEvent, { type: 'job' | 'log' }>): boolean;
}

/** How a session ended. */
export type LiveSessionEnd =
  | { kind: 'ended' }
  /** Connect there instead. */
  | { kind: 'moved'; base: string }
  /** The node has no such channel. */
  | { kind: 'unsupported' }
  /** Try again later. */
  | { kind: 'lost'; reason: string };

const handshakeTimeoutMs = 10_000;
/** A connection on which nothing has come for two of these periods is given up. */
const probeEveryMs = 15_000;

/**
 * Watches one job over the live channel until the connection ends. Rejects with the signal's reason, or with what
 * `onEvent` has thrown. A refusal by the server is a loss: whether the job and the key are good is for the
 * API to say.
 */
export function runLiveSession(options: LiveSessionOptions): Promise<LiveSessionEnd> {
  return new Promise((resolve, reject) => {
    const socket = connect(options);
    const stopProbing = probe(socket, options.timer);
    const settle = (finish: () => void): void => {
      options.signal.removeEventListener('abort', onAbort);
      stopProbing();
      socket.removeAllListeners();
      // A socket that is closed while it connects still reports an error.
      socket.on('error', () => {});
      socket.terminate();
      finish();
    };
    const end = (result: LiveSessionEnd): void => settle(() => resolve(result));
    const fail = (error: unknown): void => settle(() => reject(error));
    const onAbort = (): void => fail(options.signal.reason);
    options.signal.addEventListener('abort', onAbort, { once: true });

    socket.on('unexpected-response', (request, response) => {
      const { statusCode = 0, headers } = response;
      request.destroy();
      end(readRefusal(statusCode, headers.location, options));
    });
    socket.on('error', (error) => end({ kind: 'lost', reason: error.message }));
    socket.on('close', (code) => end({ kind: 'lost', reason: `closed (${code})` }));
    socket.on('open', () => {
      const request: LiveRequest = { type: 'watch_job', id: options.id };
      socket.send(JSON.stringify(request));
    });
    socket.on('message', (data) => {
      try {
        const result = handle(parseObject(data.toString()), options);
        if (result !== undefined) end(result);
      } catch (error) {
        fail(error);
      }
    });
  });
}

function connect(options: LiveSessionOptions): WebSocket {
  const url = `${options.base.replace(/^http/, 'ws')}${liveChannelPath}`;
  return new WebSocket(url, {
    headers: {
      'user-agent': 'carillon-client',
      ...credentialHeaders(options),
    },
    followRedirects: false,
    handshakeTimeout: handshakeTimeoutMs,
    perMessageDeflate: false,
  });
}

/** Pings, and ends the connection when nothing comes back. */
function probe(socket: WebSocket, timer: Timer): () => void {
  let heard = true;
  const onSign = (): void => {
    heard = true;
  };
  socket.on('message', onSign);
  socket.on('ping', onSign);
  socket.on('pong', onSign);
  let cancel = (): void => {};
  const next = (): void => {
    cancel = timer.after(probeEveryMs, () => {
      if (!heard) {
        socket.terminate();
        return;
      }
      heard = false;
      if (socket.readyState === WebSocket.OPEN) socket.ping();
      next();
    });
  };
  next();
  return () => cancel();
}

function readRefusal(
  status: number,
  location: string | undefined,
  options: LiveSessionOptions,
): LiveSessionEnd {
  if (status >= 300 && status < 400 && location !== undefined) {
    const { base, allowInsecureRedirect } = options;
    const target = redirectedBase(
      location.replace(/^ws/, 'http'),
      base,
      liveChannelPath,
      allowInsecureRedirect,
    );
    if (target !== undefined && target !== base) return { kind: 'moved', base: target };
  }
  if (status === 404 || status === 400 || status === 405 || status === 426 || status === 501) {
    return { kind: 'unsupported' };
  }
  return { kind: 'lost', reason: `HTTP ${status}` };
}

/** Acts on one message; unknown ones are ignored. */
function handle(
  message: Record<string, unknown> | undefined,
  options: LiveSessionOptions,
): LiveSessionEnd | undefined {
  const { type, id, offset, text, end, job, description } = message ?? {};
  if (type === 'error') return { kind: 'lost', reason: String(description) };
  if (type === 'job' && typeof job === 'object' && job !== null && !Array.isArray(job)) {
    return options.onEvent({ type, job: { ...job } }) ? { kind: 'ended' } : undefined;
  }
  if (type === 'log' && id === options.id && typeof offset === 'number' && typeof text === 'string') {
    return options.onEvent({ type, id: options.id, offset, text, end: end === true })
      ? { kind: 'ended' }
      : undefined;
  }
  return undefined;
}
