import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runnableBlocks } from './doc-blocks.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const program = join(root, 'packages/node/bin/carillon.js');
const blockTimeoutMs = 60_000;

/**
 * Runs what a document tells its readers to run (`sh run`), against a private node, in a directory that looks like a
 * checkout in which `./scripts/start` was started: `data` is the data directory, `npx carillon` the command. The
 * blocks of one document share a shell, so that later ones see variables of earlier ones.
 */
export class DocTest {
  #directory = mkdtempSync(join(tmpdir(), 'carillon-docs-'));
  #port = 0;
  #node;

  async start() {
    this.#port = await freePort();
    mkdirSync(join(this.#directory, 'bin'));
    writeFileSync(
      join(this.#directory, 'bin', 'npx'),
      `#!/bin/sh\n[ "$1" = carillon ] || exit 127\nshift\nexec '${process.execPath}' '${program}' "$@"\n`,
      { mode: 0o755 },
    );
    for (const name of ['examples', 'scripts', 'docs', 'docker']) {
      symlinkSync(join(root, name), join(this.#directory, name));
    }
    this.#node = spawn(process.execPath, [program, 'start', '--port', String(this.#port)], {
      cwd: this.#directory,
      env: environment(this.#directory),
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    await this.#greets();
  }

  /** What each block printed, in order. Rejects with the block and its output when one fails or takes too long. */
  async run(path) {
    const blocks = runnableBlocks(readFileSync(join(root, path), 'utf8'));
    const end = 'end of the block';
    const script = blocks
      .map(({ text }) => `${text.replaceAll(':3012', `:${this.#port}`)}echo '${end}'\n`)
      .join('');
    const shell = spawn('bash', ['-euo', 'pipefail', '-c', script], {
      cwd: this.#directory,
      env: { ...environment(this.#directory), CARILLON_URL: `http://127.0.0.1:${this.#port}` },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [shell.stdout, shell.stderr]) stream.on('data', (text) => (output += text));
    const limit = setTimeout(() => shell.kill('SIGKILL'), blocks.length * blockTimeoutMs);
    const [code] = await once(shell, 'close');
    clearTimeout(limit);
    const printed = output.split(`${end}\n`);
    if (code !== 0) {
      const failed = blocks[printed.length - 1];
      throw new Error(`${path}:${failed?.line}: failed with ${code}\n${failed?.text}\n${printed.at(-1)}`);
    }
    return printed.slice(0, -1).map((text, index) => ({ ...blocks[index], output: text }));
  }

  async stop() {
    if (this.#node?.exitCode === null) {
      const exited = once(this.#node, 'exit');
      this.#node.kill('SIGTERM');
      // Twice: jobs that still run are not waited for.
      this.#node.kill('SIGTERM');
      await exited;
    }
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #greets() {
    let said = '';
    await new Promise((resolve, reject) => {
      this.#node.stderr.on('data', (text) => {
        said += text;
        if (said.includes('Carillon runs at') && said.includes('Admin API key')) resolve();
      });
      this.#node.once('exit', (code) => reject(new Error(`The node ended with code ${code}: ${said}`)));
    });
  }
}

/** Nothing of the surroundings but what programs need to be found. */
function environment(directory) {
  const { PATH, CARILLON_REDIS_SERVER } = process.env;
  const fetched = join(root, '.cache/redis/bin/redis-server');
  const redis = CARILLON_REDIS_SERVER ?? (existsSync(fetched) ? fetched : undefined);
  return {
    PATH: `${join(directory, 'bin')}:${PATH}`,
    HOME: directory,
    ...(redis === undefined ? {} : { CARILLON_REDIS_SERVER: redis }),
  };
}

async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
