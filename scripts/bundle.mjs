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
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
export const bundleDirectory = join(root, 'packages/node/dist/bundle');
/** Names of the files of the latest build. */
const listName = 'files.json';
/** Of all packages whose code is in the bundle. */
const licencesName = 'LICENSES.txt';
/** Much longer than any build takes: what is older is of none that still runs. */
const abandonedAfterMs = 600_000;

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
  // All licences are in a file of their own.
  legalComments: 'none',
  sourcemap: 'linked',
  sourcesContent: false,
  logLevel: 'warning',
};

/**
 * Makes the bundle what the sources are now, and answers what is in it (the metafile of esbuild). Rejects when they cannot
 * be compiled; then the bundle stays as it was. No file is ever half-written. Those of the build before stay, as do those
 * written within the last ten minutes: a node that still runs loads some of its files only when it needs them, and
 * another build may be writing its own.
 */
export async function bundle(directory = bundleDirectory) {
  const { outputFiles, metafile } = await build({ ...settings, outdir: directory });
  const licences = { path: join(directory, licencesName), contents: Buffer.from(licencesOf(metafile)) };
  const files = [...outputFiles, licences];
  const names = files.map(({ path }) => basename(path)).sort();
  const before = namesOfBuild(directory);
  const isCurrent = before.join() === names.join() && files.every(isWritten);
  if (!isCurrent) {
    // Those that are there already are written as well, so that none of this build looks abandoned to another.
    replaceFiles(directory, files, names);
    removeAbandoned(directory, new Set([...names, ...before, listName]));
  }
  return metafile;
}

/** Packages with the same text share it: half of them would be copies. */
function licencesOf({ inputs }) {
  const places = Object.keys(inputs).map(
    (path) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? [],
  );
  const packagesOf = new Map();
  for (const place of new Set(places.flat().sort())) {
    const { name, version, license } = JSON.parse(readFileSync(join(root, place, 'package.json'), 'utf8'));
    const text = licenceText(join(root, place));
    packagesOf.set(text, [...(packagesOf.get(text) ?? []), `${name} ${version}: ${license}`]);
  }
  const parts = [...packagesOf].map(([text, packages]) => `${packages.join('\n')}\n\n${text}\n`);
  return `The programs beside this file contain code of these packages.\n\n${parts.join(`\n${'-'.repeat(80)}\n\n`)}`;
}

function licenceText(place) {
  const files = readdirSync(place).filter((name) => /^(licen[cs]e|copying|notice)/i.test(name));
  const texts = files
    .sort()
    .map((name) => readFileSync(join(place, name), 'utf8').replaceAll('\r', '').trim());
  return texts.length === 0 ? '(These come without a text.)' : texts.join('\n\n');
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
    rmSync(beside, { recursive: true, force: true });
  }
}

/** Files that no build needs, and what builds that were killed have left beside the bundle. */
function removeAbandoned(directory, needed) {
  const parent = dirname(directory);
  const isTemporary = (name) => name.startsWith(`${basename(directory)}.`);
  const found = [
    ...readdirSync(directory).flatMap((name) => (needed.has(name) ? [] : join(directory, name))),
    ...readdirSync(parent).flatMap((name) => (isTemporary(name) ? join(parent, name) : [])),
  ];
  const before = Date.now() - abandonedAfterMs;
  for (const path of found) {
    // Another build may have removed it.
    const written = statSync(path, { throwIfNoEntry: false });
    if (written !== undefined && written.mtimeMs < before) rmSync(path, { recursive: true, force: true });
  }
}

function isWritten({ path, contents }) {
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
