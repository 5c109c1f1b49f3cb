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
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runnableBlocks, shellText, shownFiles } from './doc-blocks.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const program = join(root, 'packages/node/bin/carillon.js');
const blockTimeoutMs = 60_000;

/**
 * Runs what documents tell their readers to run (`sh run`), against one private node, in a directory that looks like a
 * checkout in which `./scripts/start` was started: `data` is the data directory, `npx carillon` and `carillon` the
 * command. The blocks of one document share a shell, so that later ones see variables of earlier ones.
 */
export class DocTest {
  #directory = mkdtempSync(join(tmpdir(), 'carillon-docs-'));
  #port = 0;
  #node;

  async start() {
    this.#port = await freePort();
    mkdirSync(join(this.#directory, 'bin'));
    this.#command(
      'npx',
      `[ "$1" = carillon ] || exit 127\nshift\nexec '${process.execPath}' '${program}' "$@"\n`,
    );
    this.#command('carillon', `exec '${process.execPath}' '${program}' "$@"\n`);
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

  /**
   * What each block printed, in order. Rejects with the block and its output when one fails, takes too long, or when the
   * API refuses a call in it. What readers have or do without being told is in the plan: `before` and `after` all blocks,
   * `beforeBlock` with the text of that number (from 1), and what is meant by words of the document (`meaning`).
   */
  async run(path, { before = '', after = '', beforeBlock = {}, meaning = [] } = {}) {
    const markdown = readFileSync(join(root, path), 'utf8');
    const blocks = runnableBlocks(markdown);
    for (const file of shownFiles(markdown)) {
      const place = join(this.#directory, file.path);
      mkdirSync(dirname(place), { recursive: true });
      writeFileSync(place, file.text);
    }
    const end = 'end of the block';
    const begin = 'begin of the block';
    const texts = blocks.map((block, index) => {
      const text = meaning.reduce((all, [word, meant]) => all.replaceAll(word, meant), shellText(block));
      return `${beforeBlock[index + 1] ?? ''}\necho '${begin}'\n${text}echo '${end}'\n`;
    });
    const script = `${before}\n${texts.join('')}${after}\n`.replaceAll(':3012', `:${this.#port}`);
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
      throw new Error(
        `${path}:${failed?.line ?? ' after the blocks'}: failed with ${code}\n${failed?.text ?? after}\n${printed.at(-1)}`,
      );
    }
    return printed.slice(0, -1).map((text, index) => {
      const { 1: own = '' } = text.split(`${begin}\n`);
      // Of a refusal the code is a word; curl takes it for a success.
      if (/"code":\s*"/.test(own)) throw new Error(`${path}:${blocks[index].line}: refused\n${own}`);
      return { ...blocks[index], output: own };
    });
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

  #command(name, text) {
    writeFileSync(join(this.#directory, 'bin', name), `#!/bin/sh\n${text}`, { mode: 0o755 });
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
