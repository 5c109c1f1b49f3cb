import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { WebSocket } from 'ws';
import { type CarillonClient, ClosedError, createClient, type Job, TimedOutError } from '../src/index.js';
import { json, QuickTimer, TestServer } from './test-server.js';

const key = '0095f5b664b93304d5f8b1a61df605fb';
let server: TestServer;
let client: CarillonClient;
let timer: QuickTimer;

/** State of the pretended cluster: one job and its log. */
let job: Record<string, unknown>;
let log: string;

beforeEach(async () => {
  job = { id: 'j1', state: 'running', event: 'e1' };
  log = '';
  timer = new QuickTimer();
  server = await new TestServer().start();
  client = createClient({ url: server.url, apiKey: key, timer });
  server.answer((request, response) => {
    if (request.url.startsWith('/api/app/get_job_status')) json({ code: 0, job })(request, response);
    else response.writeHead(200, { 'content-type': 'text/plain' }).end(log);
  });
});

afterEach(async () => {
  client.close();
  await server.stop();
});

const send = (socket: WebSocket, message: unknown): void => socket.send(JSON.stringify(message));
const complete = (code: number): void => {
  job = { ...job, state: 'completed', complete: 1, code, log_file_size: Buffer.byteLength(log) };
};
const sendJob = (socket: WebSocket): void => send(socket, { type: 'job', job });
const sendLog = (socket: WebSocket, text: string, offset: number, end = false): void => {
  log = log.slice(0, offset) + text;
  send(socket, { type: 'log', id: 'j1', offset, text, end });
};

/** Runs `play` for each watch request; the number counts the connections. */
const onWatch = (play: (socket: WebSocket, connection: number) => void): void => {
  let connections = 0;
  server.onSocket = (socket) => {
    connections += 1;
    const connection = connections;
    socket.on('message', (data: Buffer) => {
      expect(JSON.parse(data.toString())).toEqual({ type: 'watch_job', id: 'j1' });
      play(socket, connection);
    });
  };
};

const watch = async (): Promise<{ job: Job; text: string; states: unknown[]; interruptions: string[] }> => {
  let text = '';
  const states: unknown[] = [];
  const interruptions: string[] = [];
  const result = await client.watchJob('j1', {
    onJob: (seen) => states.push(seen.state),
    onLog: (chunk, offset) => {
      expect(offset).toBe(Buffer.byteLength(text));
      text += chunk;
    },
    onInterruption: (reason) => interruptions.push(reason),
  });
  return { job: result, text, states, interruptions };
};

describe('over the live channel', () => {
  test('log and state arrive, and the completed job is the result', async () => {
    server.onUpgrade = (request, accept) => {
      expect(request.url).toBe('/api/live');
      expect(request.headers['x-api-key']).toBe(key);
      accept();
    };
    onWatch((socket) => {
      sendJob(socket);
      sendLog(socket, 'one\n', 0);
      sendLog(socket, 'zwölf\n', 4, true);
      complete(0);
      sendJob(socket);
    });
    const seen = await watch();
    expect(seen.job.code).toBe(0);
    expect(seen.text).toBe('one\nzwölf\n');
    expect(seen.states).toEqual(['running', 'running', 'completed']);
    expect(server.seen.filter((request) => request.url.includes('get_job_log'))).toEqual([]);
  });

  test('a lost connection is replaced, and no line comes twice or never', async () => {
    onWatch((socket, connection) => {
      sendLog(socket, 'one\n', 0);
      if (connection === 1) {
        sendLog(socket, 'two\nth', 4);
        // Meanwhile, unseen by this connection.
        log += 'ree\n';
        socket.close();
        return;
      }
      sendLog(socket, 'two\nthree\nfour\n', 4, true);
      complete(0);
      sendJob(socket);
    });
    const seen = await watch();
    expect(seen.text).toBe('one\ntwo\nthree\nfour\n');
    expect(seen.interruptions).toHaveLength(1);
  });

  test('a gap is filled from the log', async () => {
    onWatch((socket, connection) => {
      if (connection === 1) {
        sendLog(socket, 'one\n', 0);
        log = 'one\ntwo\n';
        sendLog(socket, 'three\n', 8);
        return;
      }
      complete(1);
      sendJob(socket);
      sendLog(socket, '', 14, true);
    });
    const seen = await watch();
    expect(seen.text).toBe('one\ntwo\nthree\n');
    expect(seen.job.code).toBe(1);
  });

  test('lines that do not come after the end are fetched', async () => {
    onWatch((socket) => {
      sendLog(socket, 'one\n', 0);
      log += 'last\n';
      complete(0);
      sendJob(socket);
      // The answer to a ping tells that the client has read what was sent before.
      socket.ping();
      socket.once('pong', () => timer.fireLong());
    });
    expect((await watch()).text).toBe('one\nlast\n');
  });

  test('another node is followed to where it points', async () => {
    const front = await new TestServer().start();
    // A load balancer in front: calls are forwarded, the live channel is not.
    front.answer(json({ code: 0, job }));
    front.onUpgrade = (_request, _accept, refuse) =>
      refuse(`HTTP/1.1 302 Found\r\nLocation: ${server.url}/api/live\r\nContent-Length: 0\r\n\r\n`);
    onWatch((socket) => {
      complete(0);
      sendJob(socket);
    });
    const roundabout = createClient({ url: front.url, apiKey: key, timer });
    const done = await roundabout.waitForJob('j1');
    expect(done.complete).toBe(1);
    expect(roundabout.url).toBe(server.url);
    roundabout.close();
    await front.stop();
  });

  test('another node is followed to where it is reached', async () => {
    const front = await new TestServer().start();
    front.answer(json({ code: 0, job }));
    front.onUpgrade = (_request, _accept, refuse) =>
      refuse('HTTP/1.1 302 Found\r\nLocation: http://10.1.2.3:3012/api/live\r\nContent-Length: 0\r\n\r\n');
    onWatch((socket) => {
      complete(0);
      sendJob(socket);
    });
    const roundabout = createClient({ url: front.url, apiKey: key, timer, route: () => server.url });
    expect((await roundabout.waitForJob('j1')).complete).toBe(1);
    roundabout.close();
    await front.stop();
  });

  test('a connection that has gone dead is given up', async () => {
    let interrupted = '';
    onWatch((socket, connection) => {
      if (connection === 1) {
        sendJob(socket);
        // A server that reads nothing any more does not answer pings.
        socket.pause();
        timer.fireLong();
        setImmediate(() => timer.fireLong());
        return;
      }
      complete(0);
      sendJob(socket);
    });
    await client.watchJob('j1', { onInterruption: (reason) => (interrupted = reason) });
    expect(interrupted).toMatch(/closed/);
  });

  test('what a handler throws ends the watch', async () => {
    onWatch((socket) => sendLog(socket, 'one\n', 0));
    const onLog = (): void => {
      throw new Error('no more paper');
    };
    await expect(client.watchJob('j1', { onLog })).rejects.toThrow('no more paper');
  });

  test('a handler that aborts ends the watch, also with the first it is told', async () => {
    const controller = new AbortController();
    onWatch(() => undefined);
    const onJob = (): void => controller.abort(new Error('seen enough'));
    await expect(client.watchJob('j1', { onJob }, { signal: controller.signal })).rejects.toThrow(
      'seen enough',
    );
  });

  test('abort and close end the watch, and leave no timer behind', async () => {
    const controller = new AbortController();
    onWatch(() => controller.abort(new Error('enough')));
    await expect(client.watchJob('j1', {}, { signal: controller.signal })).rejects.toThrow('enough');
    onWatch(() => client.close());
    await expect(client.watchJob('j1', {})).rejects.toBeInstanceOf(ClosedError);
    expect(timer.longCount).toBe(0);
  });
});

describe('a handler that aborts', () => {
  /** What is asked first, before anything live. */
  test.each([
    ['before the live channel is opened', true],
    ['where there is no live channel', false],
  ])('in its first call ends the watch %s, and other calls go on', async (_what, live) => {
    const controller = new AbortController();
    let connections = 0;
    if (live) onWatch(() => (connections += 1));
    const onJob = (): void => controller.abort(new Error('seen enough'));
    const watched = client.watchJob('j1', { onJob }, { signal: controller.signal });
    await expect(watched).rejects.toThrow('seen enough');
    expect((await client.getJobStatus({ id: 'j1' })).job.id).toBe('j1');
    expect(connections).toBe(0);
    expect(timer.longCount).toBe(0);
  });

  test('in a call for a live message ends it as well', async () => {
    const controller = new AbortController();
    onWatch((socket) => sendLog(socket, 'one\n', 0));
    const onLog = (): void => controller.abort(new Error('read enough'));
    const watched = client.watchJob('j1', { onLog }, { signal: controller.signal });
    await expect(watched).rejects.toThrow('read enough');
    expect((await client.getJobStatus({ id: 'j1' })).job.id).toBe('j1');
  });
});

describe('time limits', () => {
  test('a job that does not end in time ends the wait for it', async () => {
    onWatch((socket) => {
      sendJob(socket);
      socket.ping();
      socket.once('pong', () => timer.fireLong());
    });
    const waited = client.waitForJob('j1', { timeoutMs: 5000 });
    await expect(waited).rejects.toBeInstanceOf(TimedOutError);
    await expect(waited).rejects.toThrow('Not complete after 5 s');
    expect(timer.longCount).toBe(0);
  });

  test('a node that takes the request and says nothing is given up', async () => {
    const interruptions: string[] = [];
    onWatch((socket, connection) => {
      if (connection === 1) {
        timer.fireLong();
        return;
      }
      complete(0);
      sendJob(socket);
    });
    const onInterruption = (reason: string): void => void interruptions.push(reason);
    expect((await client.watchJob('j1', { onInterruption })).code).toBe(0);
    expect(interruptions).toEqual([expect.stringContaining('closed')]);
  });
});

describe('without a live channel', () => {
  test('status and log are asked for again and again', async () => {
    let asked = 0;
    server.answer((request, response) => {
      if (request.url.startsWith('/api/app/get_job_log')) {
        response.writeHead(200, { 'content-type': 'text/plain' }).end(log);
        return;
      }
      asked += 1;
      log = 'one\n€'.slice(0, asked);
      if (asked === 6) complete(0);
      json({ code: 0, job })(request, response);
    });
    const seen = await watch();
    expect(seen.text).toBe('one\n€');
    expect(asked).toBe(6);
  });

  test('a job that is complete already is answered at once', async () => {
    log = 'all of it\n';
    complete(3);
    const progress: Job[] = [];
    const done = await client.waitForJob('j1', { onProgress: (seen) => progress.push(seen) });
    expect(done.code).toBe(3);
    expect(progress).toHaveLength(1);
    expect((await watch()).text).toBe('all of it\n');
  });

  test('an unknown job is an error', async () => {
    server.answer(json({ code: 'job', description: 'No such job' }));
    await expect(client.waitForJob('j1')).rejects.toMatchObject({ code: 'job' });
  });

  test('a log that cannot be read does not hide the outcome', async () => {
    complete(0);
    server.answer(json({ code: 0, job }), json({ code: 'job', description: 'No log' }));
    const seen = await watch();
    expect(seen.job.code).toBe(0);
    expect(seen.interruptions).toEqual(['Cannot read the log: No log']);
  });
});
