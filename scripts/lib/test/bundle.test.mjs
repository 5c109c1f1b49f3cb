import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { bundle, bundleDirectory, programs } from '../../bundle.mjs';

let parent;
let directory;
let metafile;
beforeAll(async () => {
  parent = mkdtempSync(join(tmpdir(), 'carillon-bundle-'));
  directory = join(parent, 'dist/bundle');
  metafile = await bundle(directory);
});
afterAll(() => {
  rmSync(parent, { recursive: true });
});

const written = (place = directory) =>
  Object.fromEntries(readdirSync(place).map((name) => [name, statSync(join(place, name)).mtimeMs]));

describe('files', () => {
  test('the one that tests run is what the sources are', async () => {
    const before = written(bundleDirectory);
    expect(Object.keys(before)).toEqual(
      expect.arrayContaining(Object.keys(programs).map((name) => `${name}.js`)),
    );
    await bundle();
    expect(written(bundleDirectory)).toEqual(before);
  });

  test('nothing is written when nothing has changed', async () => {
    const before = written();
    await bundle(directory);
    expect(written()).toEqual(before);
    expect(readdirSync(join(parent, 'dist'))).toEqual(['bundle']);
  });

  const list = () => join(directory, 'files.json');
  const namesOfBuild = () => JSON.parse(readFileSync(list(), 'utf8'));
  /** Says that it was written `minutes` ago. */
  const age = (path, minutes) => {
    const time = Date.now() / 1_000 - minutes * 60;
    utimesSync(path, time, time);
  };
  const damage = () => writeFileSync(join(directory, 'main.js'), 'damaged');

  test('what is damaged is made anew', async () => {
    const intact = readFileSync(join(directory, 'main.js'));
    damage();
    await bundle(directory);
    expect(readFileSync(join(directory, 'main.js')).equals(intact)).toBe(true);
  });

  test('files of the build before stay, others until they are ten minutes old', async () => {
    const names = namesOfBuild();
    writeFileSync(list(), JSON.stringify([...names, 'before.js']));
    const minutes = { 'before.js': 1_000, 'older.js': 11, 'younger.js': 9 };
    for (const name of Object.keys(minutes)) {
      writeFileSync(join(directory, name), '');
      age(join(directory, name), minutes[name]);
    }
    await bundle(directory);
    const others = () => readdirSync(directory).filter((name) => ![...names, 'files.json'].includes(name));
    expect(others().sort()).toEqual(['before.js', 'younger.js']);
    damage();
    await bundle(directory);
    expect(others()).toEqual(['younger.js']);
    rmSync(join(directory, 'younger.js'));
  });

  test('a build that writes anything writes all of its files, so that no other one removes them', async () => {
    for (const name of namesOfBuild()) age(join(directory, name), 1_000);
    damage();
    const start = Date.now();
    await bundle(directory);
    // Times of files may be a few milliseconds behind the clock.
    expect(Object.values(written()).filter((time) => time < start - 1_000)).toEqual([]);
  });

  test('what killed builds left beside the bundle goes, that of a running one stays', async () => {
    for (const name of ['bundle.killed', 'bundle.runs', 'other.killed']) {
      mkdirSync(join(parent, 'dist', name));
      writeFileSync(join(parent, 'dist', name, 'main.js'), '');
      age(join(parent, 'dist', name), name.endsWith('killed') ? 11 : 9);
    }
    damage();
    await bundle(directory);
    expect(readdirSync(join(parent, 'dist')).sort()).toEqual(['bundle', 'bundle.runs', 'other.killed']);
  });
});

test('the licences of all packages are with it', () => {
  const text = readFileSync(join(directory, 'LICENSES.txt'), 'utf8');
  const places = Object.keys(metafile.inputs).flatMap(
    (path) => /.*node_modules\/(@[^/]+\/[^/]+|[^@/][^/]*)/.exec(path)?.[0] ?? [],
  );
  expect(new Set(places).size).toBeGreaterThan(100);
  const root = new URL('../../../', import.meta.url);
  for (const place of new Set(places)) {
    const { name, version, license } = JSON.parse(
      readFileSync(new URL(`${place}/package.json`, root), 'utf8'),
    );
    expect(text).toContain(`\n${name} ${version}: ${license}\n`);
    const files = readdirSync(new URL(place, root)).filter((file) => /^licen[cs]e/i.test(file));
    for (const file of files) {
      const licence = readFileSync(new URL(`${place}/${file}`, root), 'utf8');
      expect(text).toContain(licence.replaceAll('\r', '').trim());
    }
    // Its text is there with other packages.
    if (files.length === 0) expect(license).toBe('Apache-2.0');
  }
});

describe('what is loaded', () => {
  const outputs = () =>
    new Map(Object.entries(metafile.outputs).map(([path, output]) => [basename(path), output]));
  /** Sources that are loaded with a file of the bundle at once. */
  const loadedWith = (name, seen = new Set()) => {
    if (seen.has(name)) return [];
    seen.add(name);
    const { inputs, imports } = outputs().get(name);
    const others = imports.filter(({ kind, external }) => kind === 'import-statement' && external !== true);
    return [...Object.keys(inputs), ...others.flatMap(({ path }) => loadedWith(basename(path), seen))];
  };
  const packagesIn = (sources) =>
    new Set(
      sources.flatMap(
        (path) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)|^packages\/([^/]+)/.exec(path)?.slice(1, 3) ?? [],
      ),
    );
  const outputOf = (entry) =>
    [...outputs()].find(([, { entryPoint }]) => entryPoint !== undefined && entryPoint.endsWith(entry))[0];

  test('a worker loads nothing of the primary, the commands, or of what is needed rarely', () => {
    const found = packagesIn(loadedWith('worker-process.js'));
    expect([...found]).toEqual(expect.arrayContaining(['worker', 'bullmq', 'ioredis', 'winston']));
    const others = ['primary', 'express', 'cli', 'client', 'commander', 'yaml'];
    const rare = ['got', 'nodemailer', 'sanitize-html', '@aws-sdk/client-s3', 'iconv-lite'];
    expect([...others, ...rare].filter((name) => found.has(name))).toEqual([]);
  });

  test('a node loads nothing of the commands, or of what is needed rarely', () => {
    const found = packagesIn(loadedWith(outputOf('start/run-node.ts')));
    expect([...found]).toEqual(expect.arrayContaining(['primary', 'express', 'bullmq']));
    const others = ['cli', 'client', 'commander', 'yaml'];
    const rare = ['got', 'nodemailer', 'sanitize-html', '@aws-sdk/client-s3', 'iconv-lite'];
    expect([...others, ...rare].filter((name) => found.has(name))).toEqual([]);
  });

  test('a command loads nothing of a node', () => {
    const found = packagesIn([...loadedWith('main.js'), ...loadedWith(outputOf('cli/src/index.ts'))]);
    expect([...found]).toEqual(expect.arrayContaining(['cli', 'client', 'commander']));
    const others = ['primary', 'worker', 'adapters', 'express', 'bullmq', 'ioredis', 'winston'];
    expect(others.filter((name) => found.has(name))).toEqual([]);
  });

  test('the thread that starts processes is small', () => {
    const sizes = [...new Set(loadedWith('spawn-thread.js'))].map(
      (path) => metafile.inputs[path]?.bytes ?? 0,
    );
    expect(sizes.reduce((sum, bytes) => sum + bytes, 0)).toBeLessThan(20_000);
  });

  test('what is loaded later has its names: of a CommonJS package only the default is left', () => {
    const later = Object.values(metafile.outputs).flatMap(({ entryPoint }) => entryPoint ?? []);
    const isCommonJs = (path) => metafile.inputs[path].format === 'cjs';
    // The sanitizer uses its default.
    expect(later.filter(isCommonJs)).toEqual(['node_modules/sanitize-html/index.js']);
  });

  test('Postgres has no part in it', () => {
    expect(Object.values(metafile.outputs).flatMap(({ inputs }) => Object.keys(inputs))).not.toContainEqual(
      expect.stringContaining('postgres'),
    );
  });

  test('what comes from node_modules at run time is native and optional', () => {
    const outside = Object.values(metafile.outputs).flatMap(({ imports }) =>
      imports.filter(({ external, path }) => external === true && !isBuiltin(path)).map(({ path }) => path),
    );
    const native = ['bufferutil', 'koffi', 'msgpackr-extract', 'utf-8-validate'];
    expect(outside.filter((path) => !native.includes(path))).toEqual([]);
  });
});

test('the program runs where there is no node_modules', () => {
  writeFileSync(join(parent, 'package.json'), JSON.stringify({ type: 'module', version: '1.2.3' }));
  const run = (...args) =>
    execFileSync(process.execPath, [join(directory, 'main.js'), ...args], { encoding: 'utf8', env: {} });
  expect(run('--version')).toBe('1.2.3\n');
  expect(run('config')).toContain('CARILLON_DATA_DIR');
});
