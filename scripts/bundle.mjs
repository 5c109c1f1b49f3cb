/**
 * Puts the programs of a node into packages/node/dist/bundle, from the sources: what `carillon` runs, what tests start, and
 * what is shipped (docs/decisions/0022-one-bundle.md). Touches nothing when nothing has changed.
 *
 *   node scripts/bundle.mjs
 */
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
export const bundleDirectory = join(root, 'packages/node/dist/bundle');
/** Names of the files of the latest build. */
const listName = 'files.json';

/** Each is started by its name: the program itself, and what it runs as processes and threads of their own. */
export const programs = {
  main: 'packages/node/src/main.ts',
  'worker-process': 'packages/node/src/worker/worker-process.ts',
  'spawn-thread': 'packages/adapters/src/process/start/spawn-thread/thread.ts',
  'test-plugin': 'packages/plugins/src/test-plugin.ts',
  'url-plugin': 'packages/plugins/src/url-plugin.ts',
};

/** Found in node_modules, if they are there: native code, which packages do without. */
const external = ['koffi', 'msgpackr-extract', 'bufferutil', 'utf-8-validate'];

const queues = join(root, 'node_modules/bullmq/dist/esm/');

/** Leaves out of packages what no node uses of them: the text of all that is loaded stays in memory. */
const leaner = {
  name: 'leaner',
  setup({ onResolve, onLoad, resolve }) {
    // Loading these does nothing else, so what is not used can be left out: above all the queues on Postgres.
    onResolve({ filter: /^bullmq$/ }, () => ({ path: join(queues, 'index.js'), sideEffects: false }));
    onResolve({ filter: /^\./ }, async ({ path, importer, kind, resolveDir, pluginData }) => {
      if (pluginData === leaner || !importer.startsWith(queues)) return undefined;
      const found = await resolve(path, { importer, kind, resolveDir, pluginData: leaner });
      return { ...found, sideEffects: false };
    });
    // Bodies are the API's, which does without Express: its parsers come with 500 kB of character sets.
    onResolve({ filter: /^body-parser$/ }, ({ path }) => ({ path, namespace: leaner.name }));
    onLoad({ filter: /.*/, namespace: leaner.name }, () => ({ contents: 'module.exports = {};' }));
  },
};

const settings = {
  absWorkingDir: root,
  entryPoints: programs,
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
  // The queues want it in its other form: once is enough.
  alias: { luxon: join(root, 'node_modules/luxon/build/es6/luxon.mjs') },
  // For packages that are CommonJS.
  banner: {
    js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);",
  },
  // Names stay as they are: errors are known by those of their classes, and stack traces are for people.
  keepNames: true,
  minifyWhitespace: true,
  minifySyntax: true,
  // With an error that nobody catches, Node prints its line.
  lineLimit: 160,
  legalComments: 'none',
  sourcemap: 'linked',
  sourcesContent: false,
  logLevel: 'warning',
};

/**
 * Makes the bundle what the sources are now, and answers what is in it (the metafile of esbuild). Rejects when they cannot
 * be compiled; then the bundle stays as it was. No file is ever half-written, and those of the build before stay: a node
 * that still runs loads some of its files only when it needs them.
 */
export async function bundle(directory = bundleDirectory) {
  const { outputFiles, metafile } = await build({ ...settings, outdir: directory });
  const names = outputFiles.map(({ path }) => basename(path)).sort();
  const before = namesOfBuild(directory);
  const changed = outputFiles.filter(({ path, contents }) => !isSame(path, contents));
  if (changed.length > 0 || before.join() !== names.join()) {
    replaceFiles(directory, changed, names);
    removeOthers(directory, new Set([...names, ...before, listName]));
  }
  return metafile;
}

/** Programs last: until then nobody asks for the others, whose names change with what is in them. */
function replaceFiles(directory, files, names) {
  mkdirSync(directory, { recursive: true });
  const beside = mkdtempSync(`${directory}.`);
  const isProgram = ({ path }) => Object.hasOwn(programs, basename(path, '.js'));
  const inOrder = [
    ...files.filter((file) => !isProgram(file)),
    ...files.filter(isProgram),
    { path: listName, contents: `${JSON.stringify(names)}\n` },
  ];
  try {
    for (const { path, contents } of inOrder) writeFileSync(join(beside, basename(path)), contents);
    for (const { path } of inOrder) {
      renameSync(join(beside, basename(path)), join(directory, basename(path)));
    }
  } finally {
    rmSync(beside, { recursive: true });
  }
}

function removeOthers(directory, known) {
  for (const name of readdirSync(directory)) {
    if (!known.has(name)) rmSync(join(directory, name), { force: true });
  }
}

function isSame(path, contents) {
  try {
    return readFileSync(path).equals(contents);
  } catch {
    return false;
  }
}

/** Empty when there was none. */
function namesOfBuild(directory) {
  try {
    return JSON.parse(readFileSync(join(directory, listName), 'utf8'));
  } catch {
    return [];
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await bundle().catch((error) => {
    // What is wrong with the sources has been printed.
    if (error.errors === undefined) console.error(error);
    process.exitCode = 1;
  });
}
