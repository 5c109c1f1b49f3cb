import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import {
  clusterChannelPath,
  type PrimaryMessage,
  type WorkerHello,
  type WorkerMessage,
} from '@carillon/contract';
import type { ChannelLink, ClusterChannel, LinkHandlers } from '@carillon/core';
import { type WebSocket, WebSocketServer } from 'ws';
import { RationedLog } from '../logger/rationed-log.js';
import { isProof, nonceBytes, parseClientProof, proofOf } from './handshake.js';
import { type MessageParser, parseWorkerMessage } from './message-check.js';
import { type ChannelSettings, closeCodes, defaultChannelSettings } from './settings.js';
import { closeSocket, textOf, WsLink } from './ws-link.js';
import type { WsChannelOptions } from './ws-worker-channel.js';

type OnLink = (link: ChannelLink<PrimaryMessage>, hello: WorkerHello) => LinkHandlers<WorkerMessage>;
type Link = WsLink<WorkerMessage, PrimaryMessage>;

/** Largest frame before the handshake is over, in characters. */
const strangerFrame = 1_024;

/** The primary's end, to be attached to the node's HTTP server. */
export class WsClusterChannel implements ClusterChannel {
  readonly #options: WsChannelOptions;
  readonly #settings: ChannelSettings;
  readonly #server: WebSocketServer;
  readonly #links = new Set<Link>();
  readonly #strangers = new Set<WebSocket>();
  /** Whoever has a wrong secret tries again four times a second. */
  readonly #refusals: RationedLog;
  #onLink: OnLink | undefined;

  constructor(options: WsChannelOptions) {
    this.#options = options;
    this.#settings = { ...defaultChannelSettings, ...options.settings };
    this.#refusals = new RationedLog(options.log, options.clock);
    this.#server = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: this.#settings.mostMessageBytes,
    });
  }

  accept(onLink: OnLink | undefined): void {
    this.#onLink = onLink;
  }

  closeLinks(reason: string): void {
    for (const socket of this.#strangers) this.#refuse(socket, closeCodes.tryElsewhere, reason);
    for (const link of this.#links) link.close(reason);
  }

  /**
   * Takes an `upgrade` event of the HTTP server. False, and nothing done, when the path is not the channel's. Never
   * throws.
   */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    const path = (request.url ?? '').split('?', 1)[0];
    if (path !== clusterChannelPath) return false;
    socket.on('error', () => socket.destroy());
    if (this.#onLink === undefined || this.#strangers.size >= this.#settings.mostStrangers) {
      socket.once('finish', () => socket.destroy());
      socket.end(
        'HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n',
      );
      return true;
    }
    this.#server.handleUpgrade(request, socket, head, (webSocket) =>
      this.#challenge(webSocket, request.socket.remoteAddress ?? 'an unknown address'),
    );
    return true;
  }

  /** Handshake with a stranger; the first message after it must be the hello. */
  #challenge(socket: WebSocket, address: string): void {
    const { clock, random, secret } = this.#options;
    this.#strangers.add(socket);
    const server = random.hex(nonceBytes);
    let known = false;
    const cancel = clock.after(this.#settings.handshakeMs, () => {
      this.#refuse(socket, closeCodes.unauthenticated, 'the handshake took too long');
    });
    socket.on('error', () => socket.terminate());
    socket.once('close', () => {
      cancel();
      this.#strangers.delete(socket);
    });
    const onMessage = (data: Parameters<typeof textOf>[0], isBinary: boolean): void => {
      const text = textOf(data, isBinary);
      if (known) {
        cancel();
        this.#strangers.delete(socket);
        socket.off('message', onMessage);
        this.#welcome(socket, text);
        return;
      }
      const answer = text === undefined || text.length > strangerFrame ? undefined : parseClientProof(text);
      const nonces = { server, client: answer?.nonce ?? '' };
      if (answer === undefined || !isProof(answer.proof, secret, 'client', nonces)) {
        const reason = 'authentication failed: check the cluster secret';
        this.#refusals.report('warn', 'A worker was refused', `${reason} (from ${address})`);
        this.#refuse(socket, closeCodes.unauthenticated, reason);
        return;
      }
      known = true;
      socket.send(JSON.stringify({ proof: proofOf(secret, 'server', nonces) }), () => undefined);
    };
    socket.on('message', onMessage);
    socket.send(JSON.stringify({ nonce: server }), () => undefined);
  }

  #welcome(socket: WebSocket, text: string | undefined): void {
    const hello = readHello(text, parseWorkerMessage);
    if (hello === undefined) {
      this.#refuse(socket, closeCodes.invalidMessage, 'invalid message: a hello was expected');
      return;
    }
    const onLink = this.#onLink;
    if (onLink === undefined) {
      this.#refuse(socket, closeCodes.tryElsewhere, 'this node is not the primary');
      return;
    }
    const { clock, log } = this.#options;
    const link: Link = new WsLink({
      socket,
      clock,
      log,
      settings: this.#settings,
      parse: parseWorkerMessage,
    });
    this.#links.add(link);
    socket.once('close', () => this.#links.delete(link));
    try {
      link.attach(onLink(link, hello));
    } catch (error) {
      log.log('error', 'A worker could not be taken in', { error, worker: hello.node.id });
      link.close('internal error');
    }
  }

  #refuse(socket: WebSocket, code: number, reason: string): void {
    socket.removeAllListeners('message');
    closeSocket(socket, this.#options.clock, code, reason);
  }
}

function readHello(text: string | undefined, parse: MessageParser<WorkerMessage>): WorkerHello | undefined {
  const parsed = text === undefined ? undefined : parse(text);
  if (parsed === undefined || 'invalid' in parsed) return undefined;
  return parsed.message.type === 'hello' ? parsed.message : undefined;
}
