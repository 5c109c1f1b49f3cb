import { once } from 'node:events';
import http from 'node:http';

/** A keep-alive client of the documented API. `call` answers the parsed body, whatever its code. */
export function createApi(port, key) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
  const call = (name, params) =>
    new Promise((resolve, reject) => {
      const body = JSON.stringify(params);
      const request = http.request(
        {
          agent,
          port,
          host: '127.0.0.1',
          method: 'POST',
          path: `/api/app/${name}/v1`,
          timeout: 30_000,
          headers: {
            'Content-Type': 'application/json',
            'Content-Length': Buffer.byteLength(body),
            'X-API-Key': key,
          },
        },
        (response) => {
          const chunks = [];
          response.on('data', (chunk) => chunks.push(chunk));
          response.on('end', () => {
            try {
              resolve(JSON.parse(Buffer.concat(chunks).toString()));
            } catch (error) {
              reject(new Error(`${name}: HTTP ${response.statusCode}: ${String(error)}`));
            }
          });
          response.on('error', reject);
        },
      );
      request.on('timeout', () => request.destroy(new Error(`${name}: no answer within 30 s`)));
      request.on('error', reject);
      request.end(body);
    });
  const ok = async (name, params) => {
    const answer = await call(name, params);
    if (answer.code !== 0) throw new Error(`${name}: ${answer.code}: ${answer.description}`);
    return answer;
  };
  /** Reads a call that answers text, piece by piece. */
  const read = async (name, query, onPiece) => {
    const path = `/api/app/${name}/v1?${new URLSearchParams(query)}`;
    const request = http.get({ agent, port, host: '127.0.0.1', path, headers: { 'X-API-Key': key } });
    request.setTimeout(30_000, () => request.destroy(new Error(`${name}: no answer within 30 s`)));
    const [response] = await once(request, 'response');
    if (response.headers['content-type']?.startsWith('text/plain') !== true) {
      response.resume();
      throw new Error(`${name}: HTTP ${response.statusCode}, not a text`);
    }
    for await (const piece of response) onPiece(piece);
  };
  return { call, ok, read, close: () => agent.destroy() };
}

/** An on-demand event that runs a shell script; answers its id. */
export async function createShellEvent(api, title, script) {
  const event = { title, enabled: 1, category: 'general', plugin: 'shellplug', target: 'allgrp' };
  // The worker may still be joining: the first launch of each event is repeated until it is accepted.
  return (await api.ok('create_event', { ...event, params: { script } })).id;
}

/** Runs an event, waiting for the first worker if need be; answers the job id. */
export async function runWhenPossible(api, id) {
  for (let attempt = 0; ; attempt += 1) {
    const answer = await api.call('run_event', { id });
    if (answer.code === 0) return answer.ids[0];
    if (attempt === 200) throw new Error(`run_event: ${answer.description}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Polls until the job is complete; answers its record. */
export async function completed(api, id, everyMs = 2) {
  for (;;) {
    const { job } = await api.ok('get_job_status', { id });
    if (job.complete) return job;
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
