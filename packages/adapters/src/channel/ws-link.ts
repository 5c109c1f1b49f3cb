import type { Cancel, ChannelLink, Clock, LinkHandlers, Logger } from '@carillon/core';
import type { RawData, WebSocket } from 'ws';
import type { MessageParser } from './message-check.js';
import { type ChannelSettings, closeCodes, closeReason } from './settings.js';

/** Time the other end has to answer a close before the connection is cut. */
const closeMs = 1_000;

/** The text of a frame, or undefined for a binary one. */
export function textOf(data: RawData, isBinary: boolean): string | undefined {
  if (isBinary) return undefined;
  if (Array.isArray(data)) return Buffer.concat(data).toString('utf8');
  return Buffer.isBuffer(data) ? data.toString('utf8') : Buffer.from(data).toString('utf8');
}

/** Closes politely, and cuts the connection when the other end does not answer. */
export function closeSocket(socket: WebSocket, clock: Clock, code: number, reason: string): void {
  if (socket.readyState === socket.CLOSED) return;
  const cancel = clock.after(closeMs, () => socket.terminate());
  socket.once('close', cancel);
  socket.close(code, closeReason(reason));
}

export interface WsLinkOptions<In> {
  socket: WebSocket;
  clock: Clock;
  log: Logger;
  settings: ChannelSettings;
  parse: MessageParser<In>;
}

/**
 * One authenticated link. Checks every message that comes in, watches for silence, and drops what cannot be sent.
 * The socket's close and error events are its own from here on.
 */
export class WsLink<In, Out> implements ChannelLink<Out> {
  readonly #options: WsLinkOptions<In>;
  readonly #heartbeat: Cancel;
  #handlers: LinkHandlers<In> | undefined;
  #heardAtMs: number;
  #closedFor: string | undefined;

  constructor(options: WsLinkOptions<In>) {
    this.#options = options;
    const { socket, clock, settings } = options;
    this.#heardAtMs = clock.monotonicMs();
    this.#heartbeat = this.#watchSilence(settings.silenceMs / 6);
    const heard = (): void => {
      this.#heardAtMs = clock.monotonicMs();
    };
    socket.on('ping', heard);
    socket.on('pong', heard);
    socket.on('message', (data, isBinary) => {
      heard();
      this.#receive(textOf(data, isBinary));
    });
    socket.on('error', (error) => this.#end(`connection failed: ${error.message}`));
    socket.on('close', (_code, reason) => this.#end(reason.toString() || 'connection lost'));
  }

  /** Handlers of what follows; until then messages are dropped. Tells at once when the link is closed already. */
  attach(handlers: LinkHandlers<In>): void {
    this.#handlers = handlers;
    if (this.#closedFor !== undefined) this.#tellClosed(this.#closedFor);
  }

  send(message: Out): void {
    const { socket, settings, log } = this.#options;
    if (this.#closedFor !== undefined || socket.readyState !== socket.OPEN) return;
    const text = JSON.stringify(message);
    if (Buffer.byteLength(text) > settings.mostMessageBytes) {
      log.log('warn', 'A cluster message was too large to be sent and was dropped', { bytes: text.length });
      return;
    }
    socket.send(text, ignoreError);
    if (socket.bufferedAmount > settings.mostUnsentBytes) {
      socket.terminate();
      this.#end('too much is waiting to be sent');
    }
  }

  close(reason: string): void {
    this.#closeWith(closeCodes.ordinary, reason);
  }

  #closeWith(code: number, reason: string): void {
    if (this.#closedFor !== undefined) return;
    closeSocket(this.#options.socket, this.#options.clock, code, reason);
    this.#end(reason);
  }

  #receive(text: string | undefined): void {
    if (this.#closedFor !== undefined) return;
    const parsed = text === undefined ? { invalid: 'binary' } : this.#options.parse(text);
    if ('invalid' in parsed) {
      this.#closeWith(closeCodes.invalidMessage, `invalid message: ${parsed.invalid}`);
      return;
    }
    try {
      this.#handlers?.onMessage(parsed.message);
    } catch (error) {
      this.#options.log.log('error', 'A cluster message could not be handled', { error });
    }
  }

  /** Pings six times within the limit. Silence that this process slept through is not counted. */
  #watchSilence(periodMs: number): Cancel {
    const { socket, clock, settings } = this.#options;
    let checkedAtMs = clock.monotonicMs();
    return clock.every(periodMs, () => {
      const nowMs = clock.monotonicMs();
      const sinceMs = nowMs - checkedAtMs;
      checkedAtMs = nowMs;
      // What came in while this process was stopped has not been read yet.
      if (sinceMs > 2 * periodMs) this.#heardAtMs += sinceMs - periodMs;
      if (nowMs - this.#heardAtMs >= settings.silenceMs) {
        socket.terminate();
        this.#end(`silent for ${Math.round((nowMs - this.#heardAtMs) / 100) / 10} s`);
      } else if (socket.readyState === socket.OPEN) socket.ping(undefined, undefined, ignoreError);
    });
  }

  #end(reason: string): void {
    if (this.#closedFor !== undefined) return;
    this.#closedFor = reason;
    this.#heartbeat();
    this.#tellClosed(reason);
  }

  #tellClosed(reason: string): void {
    const handlers = this.#handlers;
    this.#handlers = undefined;
    try {
      handlers?.onClose(reason);
    } catch (error) {
      this.#options.log.log('error', 'The end of a cluster link could not be handled', { error });
    }
  }
}

/** A send that fails ends in a close event. */
const ignoreError = (): void => undefined;
