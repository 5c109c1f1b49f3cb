import { clusterChannelPath, type PrimaryMessage, type WorkerMessage } from '@carillon/contract';
import type { ChannelLink, Clock, LinkHandlers, Logger, Random, WorkerChannel } from '@carillon/core';
import { WebSocket } from 'ws';
import { isProof, type Nonces, nonceBytes, parseChallenge, parseServerProof, proofOf } from './handshake.js';
import { parsePrimaryMessage } from './message-check.js';
import { type ChannelSettings, closeCodes, defaultChannelSettings } from './settings.js';
import { closeSocket, textOf, WsLink } from './ws-link.js';

type WorkerLink = WsLink<PrimaryMessage, WorkerMessage>;

export interface WsChannelOptions {
  /** The cluster secret. */
  secret: string;
  clock: Clock;
  random: Random;
  log: Logger;
  settings?: Partial<ChannelSettings>;
  /** Authorities, in PEM, of the certificates of nodes; default: the system's. For the worker's end. */
  ca?: string | undefined;
}

/** Base URL of a node → URL of its cluster channel. Throws when it is none. */
function channelUrl(baseUrl: string): string {
  const url = new URL(baseUrl);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw new Error(`Not an HTTP URL: ${baseUrl}`);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  url.pathname = url.pathname.replace(/\/+$/, '') + clusterChannelPath;
  return url.href;
}

/** The worker's end over a WebSocket; `https` base URLs use TLS. */
export class WsWorkerChannel implements WorkerChannel {
  readonly #options: WsChannelOptions;
  readonly #settings: ChannelSettings;

  constructor(options: WsChannelOptions) {
    this.#options = options;
    this.#settings = { ...defaultChannelSettings, ...options.settings };
  }

  async connect(
    baseUrl: string,
    handlers: LinkHandlers<PrimaryMessage>,
    signal: AbortSignal,
  ): Promise<ChannelLink<WorkerMessage>> {
    signal.throwIfAborted();
    const socket = new WebSocket(channelUrl(baseUrl), {
      perMessageDeflate: false,
      maxPayload: this.#settings.mostMessageBytes,
      followRedirects: false,
      ...(this.#options.ca === undefined ? {} : { ca: this.#options.ca }),
    });
    const link = await this.#authenticate(socket, signal);
    const abort = (): void => link.close('no longer wanted');
    signal.addEventListener('abort', abort, { once: true });
    socket.once('close', () => signal.removeEventListener('abort', abort));
    link.attach(handlers);
    return link;
  }

  /** Resolves when both sides have proved themselves; otherwise ends the connection and rejects with the reason. */
  #authenticate(socket: WebSocket, signal: AbortSignal): Promise<WorkerLink> {
    const { clock, log } = this.#options;
    return new Promise((resolve, reject) => {
      let finished = false;
      const cleanUp = (): void => {
        finished = true;
        cancel();
        signal.removeEventListener('abort', abort);
        socket.removeAllListeners('message');
      };
      const fail = (failure: string): void => {
        if (finished) return;
        cleanUp();
        // Ending a connection that is not up yet is reported as an error once more; the listener stays for it.
        if (socket.readyState === WebSocket.OPEN) {
          closeSocket(socket, clock, closeCodes.unauthenticated, failure);
        } else socket.terminate();
        reject(new Error(failure));
      };
      const succeed = (): void => {
        cleanUp();
        const settings = this.#settings;
        // In this very turn: the next frame may be there already.
        resolve(new WsLink({ socket, clock, log, settings, parse: parsePrimaryMessage }));
      };
      const abort = (): void => fail('no longer wanted');
      const cancel = clock.after(this.#settings.handshakeMs, () => fail('timed out'));
      signal.addEventListener('abort', abort, { once: true });
      socket.on('error', (error) => fail(`could not connect: ${error.message || error.name}`));
      socket.on('close', (code, reason) => fail(reason.toString() || `refused (${code})`));
      socket.on('unexpected-response', (_request, response) => {
        response.resume();
        const { statusCode = 0 } = response;
        fail(
          statusCode === 503 ? 'refused: this node is not the primary' : `refused: HTTP status ${statusCode}`,
        );
      });
      const step = this.#steps(socket);
      socket.on('message', (data, isBinary) => {
        const result = step(textOf(data, isBinary) ?? '');
        if (result === 'done') succeed();
        else if (result !== 'next') fail(result.failure);
      });
    });
  }

  /** The client's part: one call for each message of the server. */
  #steps(socket: WebSocket): (text: string) => 'next' | 'done' | { failure: string } {
    const { secret, random } = this.#options;
    let nonces: Nonces | undefined;
    return (text) => {
      if (nonces === undefined) {
        const challenge = parseChallenge(text);
        if (challenge === undefined) return { failure: 'the other end does not speak the cluster protocol' };
        nonces = { server: challenge.nonce, client: random.hex(nonceBytes) };
        socket.send(JSON.stringify({ nonce: nonces.client, proof: proofOf(secret, 'client', nonces) }));
        return 'next';
      }
      const answer = parseServerProof(text);
      return answer !== undefined && isProof(answer.proof, secret, 'server', nonces)
        ? 'done'
        : { failure: 'the other end does not know the cluster secret' };
    };
  }
}
