import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { type CommandIo, runCli } from '../src/index.js';

type Fields = Record<string, unknown>;

const plainStatus: Fields = {
  version: '1.2.3',
  primary: { id: 'n1', url: 'http://cron.test', term: 1 },
  store: { ready: 1, latency_ms: 1 },
  servers: { total: 0, ready: 0, draining: 0, silent: 0, lost: 0 },
  versions: {},
  enabled: 1,
  jobs: {},
  events: 0,
  events_enabled: 0,
  deliveries_waiting: 0,
};

/** A server that answers API calls from plain data: enough of a cluster to try commands against. */
export class FakeCluster {
  readonly key = '0095f5b664b93304d5f8b1a61df605fb';
  /** Newest first. */
  events: Fields[] = [];
  history: Fields[] = [];
  jobs = new Map<string, Fields>();
  logs = new Map<string, string>();
  /** Answers of other calls, by name; an Error is a refusal with its name as the code. */
  readonly answers = new Map<string, Fields | Error>([['status', plainStatus]]);
  enabled = 1;
  readonly calls: { name: string; params: Fields }[] = [];
  /** Called before each answer; may change the data. */
  onCall: (name: string, count: number) => void = () => {};
  #lastId = 0;
  readonly #server = createServer((request, response) => {
    void (async () => {
      const url = new URL(request.url ?? '/', 'http://localhost');
      const [, area, call = ''] = /^\/api\/(app|user)\/(\w+)\/v1$/.exec(url.pathname) ?? [];
      const name = area === 'user' ? `user_${call}` : call;
      const body = await text(request);
      const params: Fields = body === '' ? Object.fromEntries(url.searchParams) : JSON.parse(body);
      this.calls.push({ name, params });
      this.onCall(name, this.calls.filter((call) => call.name === name).length);
      const answer =
        request.headers['x-api-key'] === this.key ? this.#answer(name, params) : refuse('session', 'No key');
      const isText = typeof answer === 'string';
      response.setHeader('content-type', isText ? 'text/plain' : 'application/json');
      response.end(isText ? answer : JSON.stringify(answer));
    })();
  });

  async start(): Promise<this> {
    this.#server.on('upgrade', (_request, socket) => {
      socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
    });
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  paramsOf(name: string): Fields[] {
    return this.calls.filter((call) => call.name === name).map((call) => call.params);
  }

  #answer(name: string, params: Fields): Fields | string {
    const event = this.events.find((one) => one['id'] === params['id'] || one['title'] === params['title']);
    const job = this.jobs.get(String(params['id']));
    switch (name) {
      case 'get_schedule':
        return pageOf(this.events, params);
      case 'get_history':
        return pageOf(this.history, params);
      case 'get_event_history':
        return pageOf(
          this.history.filter((row) => row['event'] === params['id']),
          params,
        );
      case 'get_event': {
        if (event === undefined) return refuse('event', 'Failed to locate event');
        const jobs = [...this.jobs.values()].filter((one) => one['event'] === event['id']);
        return { code: 0, event, ...(jobs.length === 0 ? {} : { jobs }) };
      }
      case 'create_event': {
        if (params['target'] === 'nowhere') return refuse('event', 'Failed to create event: No such target');
        this.#lastId += 1;
        const id = params['id'] ?? `e${this.#lastId}`;
        this.events.unshift({ params: {}, timezone: 'UTC', created: 0, modified: 0, ...params, id });
        return { code: 0, id };
      }
      case 'update_event':
        if (event !== undefined) Object.assign(event, params);
        return { code: 0 };
      case 'delete_event':
        this.events = this.events.filter((one) => one !== event);
        return { code: 0 };
      case 'run_event':
        return { code: 0, ids: [...this.jobs.keys()] };
      case 'get_job_status':
        return job === undefined ? refuse('job', 'Failed to locate job') : { code: 0, job };
      case 'get_job_log':
        return this.logs.get(String(params['id'])) ?? refuse('job', 'Failed to fetch job log');
      case 'get_active_jobs':
        return { code: 0, jobs: Object.fromEntries(this.jobs) };
      case 'abort_job':
        return job === undefined ? refuse('job', 'Failed to locate job') : { code: 0 };
      case 'get_master_state':
        return { code: 0, state: { enabled: this.enabled } };
      case 'update_master_state':
        this.enabled = Number(params['enabled']);
        return { code: 0 };
      default: {
        const answer = this.answers.get(name);
        if (answer instanceof Error) return refuse(answer.name, answer.message);
        if (answer !== undefined) return { code: 0, ...answer };
        return refuse('api', `Unsupported API: ${name}`);
      }
    }
  }

  /** Runs a command against this cluster; the time zone is UTC and no environment is inherited. */
  run(argv: readonly string[], io: Partial<CommandIo> = {}): Promise<Ran> {
    return runCommand(argv, {
      ...io,
      env: { CARILLON_URL: this.url, CARILLON_API_KEY: this.key, ...io.env },
    });
  }
}

export interface Ran {
  exitCode: number;
  out: string;
  err: string;
}

/** Runs a command and keeps what it wrote. */
export async function runCommand(argv: readonly string[], io: Partial<CommandIo> = {}): Promise<Ran> {
  let [out, err] = ['', ''];
  const exitCode = await runCli(argv, {
    env: {},
    isTTY: false,
    timeZone: 'UTC',
    ...io,
    stdout: { write: (chunk) => (out += chunk) },
    stderr: { write: (chunk) => (err += chunk) },
  });
  return { exitCode, out, err };
}

const refuse = (code: string, description: string): Fields => ({ code, description });

function pageOf(rows: readonly Fields[], params: Fields): Fields {
  const offset = Number(params['offset'] ?? 0);
  const page = rows.slice(offset, offset + Number(params['limit'] ?? 50));
  return { code: 0, rows: page, list: { length: rows.length } };
}
