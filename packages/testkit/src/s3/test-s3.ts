import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface S3rver {
  configureBuckets(): Promise<void>;
  callback(): RequestListener;
}
type S3rverClass = new (options: {
  directory: string;
  silent: boolean;
  vhostBuckets: boolean;
  configureBuckets: { name: string }[];
}) => S3rver;

/** An S3-compatible server on a loopback port, with one bucket named `logs`. */
export interface TestS3 {
  readonly endpoint: string;
  /** Method and path of every request so far. */
  readonly requests: string[];
  /** From now on answers nothing; resolves when the next request has come. */
  silence(): Promise<void>;
  stop(): Promise<void>;
}

/** The keys its client must use are in the environment until it stops, as they would be for a node. */
export async function startTestS3(): Promise<TestS3> {
  // It has no types, and is a CommonJS module whose loggers must not be loaded twice.
  const S3rverOf: S3rverClass = createRequire(import.meta.url)('s3rver');
  const directory = await mkdtemp(join(tmpdir(), 'carillon-s3-'));
  const s3 = new S3rverOf({
    directory,
    silent: true,
    vhostBuckets: false,
    configureBuckets: [{ name: 'logs' }],
  });
  await s3.configureBuckets();
  const requests: string[] = [];
  let onSilenced: (() => void) | undefined;
  const answer = s3.callback();
  const server: Server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    if (onSilenced === undefined) answer(request, response);
    else onSilenced();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const before = { ...process.env };
  process.env['AWS_ACCESS_KEY_ID'] = 'S3RVER';
  process.env['AWS_SECRET_ACCESS_KEY'] = 'S3RVER';
  return {
    endpoint: `http://127.0.0.1:${port}`,
    requests,
    silence: () =>
      new Promise((resolve) => {
        onSilenced = resolve;
      }),
    stop: async () => {
      for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']) {
        if (before[name] === undefined) delete process.env[name];
        else process.env[name] = before[name];
      }
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
      await rm(directory, { recursive: true, force: true });
    },
  };
}
