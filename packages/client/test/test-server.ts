import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Timer } from '../src/index.js';

export interface SeenRequest {
  method: string;
  url: string;
  key: string | undefined;
  session: string | string[] | undefined;
  body: string;
}

export type Answer = (request: SeenRequest, response: ServerResponse) => void;

export const json =
  (body: unknown, status = 200, headers: Record<string, string> = {}): Answer =>
  (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify(body));
  };

export const redirect =
  (base: () => string): Answer =>
  (request, response) => {
    response.writeHead(302, { location: `${base()}${request.url}`, 'content-type': 'application/json' });
    response.end('{"code":"master","description":"This API call can only be invoked on the master server."}');
  };

/** Takes the request and breaks the connection without an answer. */
export const hangUp: Answer = (_request, response) => {
  response.destroy();
};

/** A node whose answers the test writes, one after the other; the last one stays. */
export class TestServer {
  readonly seen: SeenRequest[] = [];
  readonly #server: Server;
  readonly #sockets = new WebSocketServer({ noServer: true });
  #answers: Answer[] = [json({ code: 0 })];
  onUpgrade:
    | ((request: IncomingMessage, accept: () => void, refuse: (text: string) => void) => void)
    | undefined;
  onSocket: ((socket: WebSocket, request: IncomingMessage) => void) | undefined;

  constructor() {
    this.#server = createServer((request, response) => void this.#respond(request, response));
    this.#server.on('upgrade', (request, socket, head) => {
      const refuse = (text: string): void => {
        socket.end(text);
      };
      const accept = (): void =>
        this.#sockets.handleUpgrade(request, socket, head, (opened) => this.onSocket?.(opened, request));
      if (this.onUpgrade !== undefined) this.onUpgrade(request, accept, refuse);
      else if (this.onSocket !== undefined) accept();
      else refuse('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n');
    });
  }

  async start(port = 0): Promise<this> {
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
    return this;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  answer(...answers: Answer[]): void {
    this.#answers = answers;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets.clients) socket.terminate();
    this.#sockets.close();
    if (!this.#server.listening) return;
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  async #respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const key = request.headers['x-api-key'];
    const seen = {
      method: request.method ?? '',
      url: request.url ?? '',
      key: typeof key === 'string' ? key : undefined,
      session: request.headers['x-session-id'],
      body,
    };
    this.seen.push(seen);
    const answer = this.#answers.length > 1 ? this.#answers.shift() : this.#answers[0];
    answer?.(seen, response);
  }
}

/** Base URL of a port on which nothing listens. */
export async function deadUrl(): Promise<string> {
  const server = await new TestServer().start();
  const { url } = server;
  await server.stop();
  return url;
}

/** A timer whose pauses pass at once, while its clock counts them. Long ones only pass when told. */
export class QuickTimer implements Timer {
  readonly pauses: number[] = [];
  readonly #long = new Set<() => void>();
  #nowMs = 0;

  monotonicMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, callback: () => void): () => void {
    if (delayMs > 1000) {
      this.#long.add(callback);
      return () => void this.#long.delete(callback);
    }
    const handle = setImmediate(() => {
      this.pauses.push(delayMs);
      this.#nowMs += delayMs;
      callback();
    });
    return () => clearImmediate(handle);
  }

  /** Lets all long delays pass. */
  fireLong(): void {
    const due = [...this.#long];
    this.#long.clear();
    for (const callback of due) callback();
  }

  get longCount(): number {
    return this.#long.size;
  }
}
