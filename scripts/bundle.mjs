/**
 * Puts the programs of a node into packages/node/dist/bundle, from the sources: what `carillon` runs, and what is shipped. See
 * docs/decisions/0022-one-bundle.md. Touches nothing when nothing has changed.
 *
 *   node scripts/bundle.mjs
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const directory = join(root, 'packages/node/dist/bundle');
/** Names of the files of the latest build: the last one to be written. */
const listFile = join(directory, 'files.json');

/** Each is started by its name: the program, and what it runs as a process or a thread of its own. */
const programs = {
  main: 'packages/node/src/main.ts',
  'worker-process': 'packages/node/src/worker/worker-process.ts',
  'spawn-thread': 'packages/adapters/src/process/spawn-thread/thread.ts',
  'test-plugin': 'packages/plugins/src/test-plugin.ts',
  'url-plugin': 'packages/plugins/src/url-plugin.ts',
};

/** Found in node_modules when they are there: native code, and what optional parts of packages ask for. */
const external = ['koffi', 'msgpackr-extract', 'bufferutil', 'utf-8-validate', 'pg', 'redis', 'bullmq-otel'];

const queues = join(root, 'node_modules/bullmq/dist/esm/');

/** Leaves out of packages what no node uses of them: all of a text that is loaded stays in memory. */
const leaner = {
  name: 'leaner',
  setup({ onResolve, onLoad, resolve }) {
    // As modules whose loading does nothing else, its backend on Postgres can be left out.
    onResolve({ filter: /^bullmq$/ }, () => ({ path: join(queues, 'index.js'), sideEffects: false }));
    onResolve({ filter: /^\./ }, async ({ path, importer, kind, resolveDir, pluginData }) => {
      if (pluginData === leaner || !importer.startsWith(queues)) return undefined;
      const found = await resolve(path, { importer, kind, resolveDir, pluginData: leaner });
      return { ...found, sideEffects: false };
    });
    // Express' parsers of bodies and 500 kB of character sets with them: bodies are the API's, which is no part of Express.
    onResolve({ filter: /^body-parser$/ }, ({ path }) => ({ path, namespace: leaner.name }));
    onLoad({ filter: /.*/, namespace: leaner.name }, () => ({ contents: 'module.exports = {};' }));
  },
};

/**
 * Makes the bundle what the sources are now. Rejects when they cannot be compiled; then the bundle stays as it was. The
 * files of the build before stay as well: a node that still runs loads some of them only when it needs them.
 */
export async function bundle(options = {}) {
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    entryPoints: programs,
    outdir: directory,
    write: false,
    metafile: true,
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    conditions: ['carillon-source'],
    external,
    plugins: [leaner],
    alias: { luxon: join(root, 'node_modules/luxon/build/es6/luxon.mjs') },
    // For the packages that are CommonJS.
    banner: {
      js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);",
    },
    minifyWhitespace: true,
    minifySyntax: true,
    // An error that nobody catches is shown with its line.
    lineLimit: 160,
    keepNames: true,
    legalComments: 'none',
    sourcemap: 'linked',
    sourcesContent: false,
    logLevel: 'warning',
    ...options,
  });
  install(outputFiles);
  return metafile;
}

/** Programs last: until then nobody asks for the other files, whose names change with what is in them. */
function install(outputs) {
  const names = outputs.map(({ path }) => basename(path)).sort();
  const before = listed();
  const isProgram = (path) => Object.hasOwn(programs, basename(path).split('.')[0]);
  const changed = outputs.filter(({ path, contents }) => !isSame(path, contents));
  if (changed.length === 0 && before.join() === names.join()) return;
  mkdirSync(directory, { recursive: true });
  const inOrder = [false, true].flatMap((last) => changed.filter(({ path }) => isProgram(path) === last));
  for (const { path, contents } of inOrder) replace(path, contents);
  replace(listFile, `${JSON.stringify(names)}\n`);
  removeOthers(new Set([...names, ...before]));
}

/** Never half-written, and removed only when neither this build nor the one before knows them. */
function removeOthers(known) {
  for (const name of readdirSync(directory)) {
    if (!known.has(name) && name !== basename(listFile)) rmSync(join(directory, name), { force: true });
  }
}

function replace(path, contents) {
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, contents);
  renameSync(temporary, path);
}

function isSame(path, contents) {
  try {
    return readFileSync(path).equals(contents);
  } catch {
    return false;
  }
}

/** What the build before wrote; nothing when there was none. */
function listed() {
  try {
    return JSON.parse(readFileSync(listFile, 'utf8'));
  } catch {
    return [];
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  // The compiler has said why.
  await bundle().catch(() => {
    process.exitCode = 1;
  });
}
