import { type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from 'node:http';
import { connect } from 'node:net';
import { callPath, findCall } from '@carillon/contract';
import type { Logger, PrimaryInfo } from '@carillon/core';
import { FakeClock, SeededRandom } from '@carillon/testkit';
import {
  type ApiDeps,
  createApiHandler,
  createHttpApp,
  createHttpServer,
  type HttpServer,
  type UpgradeHandler,
} from '../../src/http/index.js';
import type { Office, Standing } from '../../src/office.js';
import { adminKey, FakeOffice, nowSec, sha256 } from './fake-office.js';

export interface LogLine {
  level: string;
  message: string;
  fields: Readonly<Record<string, unknown>> | undefined;
}

/** Keeps what is logged. */
export class LogBook implements Logger {
  readonly lines: LogLine[] = [];
  log(level: string, message: string, fields?: Readonly<Record<string, unknown>>): void {
    this.lines.push({ level, message, fields });
  }
  child(): Logger {
    return this;
  }
}

export class FakeStanding implements Standing {
  readonly nodeId: string;
  current: Office | undefined;
  known: PrimaryInfo | undefined;

  constructor(nodeId: string, current?: Office, known?: PrimaryInfo) {
    this.nodeId = nodeId;
    this.current = current;
    this.known = known;
  }
  office(): Office | undefined {
    return this.current;
  }
  primary(): PrimaryInfo | undefined {
    return this.known;
  }
}

export interface Reply {
  status: number;
  headers: IncomingHttpHeaders;
  bytes: Buffer;
  text: string;
}

export interface SendOptions {
  method?: string;
  headers?: OutgoingHttpHeaders;
  body?: string | Buffer | undefined;
  /** Default: the administrator's. Null: none. */
  key?: string | null;
}

const open = new Set<TestApi>();

/** Stops all servers of a test. */
export async function stopAll(): Promise<void> {
  for (const api of open) await api.stop();
}

/** A node's HTTP side on a free loopback port. */
export class TestApi {
  readonly clock = new FakeClock(nowSec * 1000);
  readonly log = new LogBook();
  readonly office: FakeOffice;
  readonly standing: FakeStanding;
  readonly http: HttpServer;
  ready: () => Promise<void> = () => Promise.resolve();
  port = 0;

  private constructor(office: FakeOffice, options: Partial<ApiDeps> & { upgrades?: UpgradeHandler[] }) {
    const { clock, log } = this;
    this.office = office;
    this.standing = (options.standing as FakeStanding | undefined) ?? new FakeStanding('node1', office);
    const { standing } = this;
    const random = new SeededRandom(5);
    const api = createApiHandler({
      nonPrimary: 'redirect',
      digest: { sha256 },
      clock,
      random,
      log,
      ...options,
      standing,
    });
    const app = createHttpApp({
      version: '1.2.3',
      standing,
      clock,
      log,
      checkReady: () => this.ready(),
      metrics: () => '# no metrics\n',
    });
    this.http = createHttpServer({ api, app, clock, log, upgrades: options.upgrades ?? [] });
  }

  static async start(
    options: Partial<ApiDeps> & { office?: FakeOffice; upgrades?: UpgradeHandler[] } = {},
  ): Promise<TestApi> {
    const { office = new FakeOffice(), ...rest } = options;
    const api = new TestApi(office, rest);
    api.port = await api.http.listen(0, '127.0.0.1');
    open.add(api);
    return api;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async stop(): Promise<void> {
    open.delete(this);
    const closed = this.http.close(0);
    this.clock.advance(0);
    await closed;
  }

  /** Sends a request as given. */
  send(path: string, options: SendOptions = {}): Promise<Reply> {
    const { method = 'GET', headers = {}, body, key = adminKey } = options;
    return new Promise((resolve, reject) => {
      const outgoing = request({
        host: '127.0.0.1',
        port: this.port,
        path,
        method,
        headers: { ...(key === null ? {} : { 'X-API-Key': key }), ...headers },
        agent: false,
      });
      outgoing.on('error', reject);
      outgoing.on('response', (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('error', reject);
        answer.on('end', () => {
          const bytes = Buffer.concat(chunks);
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, bytes, text: bytes.toString() });
        });
      });
      outgoing.end(body);
    });
  }

  /** Sends a JSON text to a call, as printed in the reference. */
  post(name: string, body: string, options: SendOptions = {}): Promise<Reply> {
    const headers = { 'Content-Type': 'application/json', ...options.headers };
    return this.send(pathOf(name), { ...options, method: 'POST', headers, body });
  }

  /** Calls with parameters as JSON; the answer's object. */
  async call(
    name: string,
    params: unknown = {},
    options: SendOptions = {},
  ): Promise<Record<string, unknown>> {
    return objectOf((await this.post(name, JSON.stringify(params), options)).text);
  }

  /** Calls with a query string; the answer's object. */
  async get(name: string, query = '', options: SendOptions = {}): Promise<Record<string, unknown>> {
    const path = `${pathOf(name)}${query === '' ? '' : `?${query}`}`;
    return objectOf((await this.send(path, options)).text);
  }

  /** Sends bytes as they are; everything that comes back until the server closes, or until `enough` says so. */
  raw(bytes: string | Uint8Array, enough: (received: string) => boolean = () => false): Promise<string> {
    return new Promise((resolve) => {
      let received = '';
      const socket = connect(this.port, '127.0.0.1', () => socket.write(bytes));
      socket.on('data', (chunk) => {
        received += chunk.toString('latin1');
        if (enough(received)) socket.destroy();
      });
      socket.on('error', () => undefined);
      socket.on('close', () => resolve(received));
    });
  }
}

/** Path of a call, also of one there is not. */
export function pathOf(name: string): string {
  const call = findCall(name);
  return call === undefined ? `/api/app/${name}/v1` : callPath(call.name);
}

/** The object a text holds. Throws when it is something else. */
export function objectOf(text: string): Record<string, unknown> {
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error(`No object: ${text}`);
  return { ...value };
}
