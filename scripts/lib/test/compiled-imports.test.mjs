import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const read = (path) => readFileSync(join(root, path), 'utf8');

/** Packages of ours whose dist a program of `scripts` needs, with the files it imports or starts. */
function compiledPackages(path, seen = new Set()) {
  if (seen.has(path) || !existsSync(join(root, path))) return [];
  seen.add(path);
  return [...read(path).matchAll(/['"]((?:\.{1,2}|@carillon)\/[^'"\s]+)['"]/g)].flatMap(([, named]) => {
    if (named.startsWith('@carillon/')) return named.split('/')[1];
    const target = relative(root, join(root, dirname(path), named));
    const compiled = /^packages\/([^/]+)\/dist\/(?!bundle\/)/.exec(target);
    if (compiled !== null) return compiled[1];
    return target.endsWith('.mjs') ? compiledPackages(target, seen) : [];
  });
}

/** The given packages and those that are compiled with them: all, when none is given. */
function compiledBy(names, seen = new Set()) {
  const places =
    names.length === 0 ? ['tsconfig.json'] : names.map((name) => `packages/${name}/tsconfig.json`);
  for (const place of places) {
    for (const { path } of JSON.parse(read(place)).references ?? []) {
      const name = /([a-z]+)$/.exec(path)?.[1];
      if (!path.endsWith('.json') && !seen.has(name)) compiledBy([name], seen.add(name));
    }
  }
  return new Set([...names, ...seen]);
}

const commands = Object.entries(JSON.parse(read('package.json')).scripts).map(([name, text]) => [
  `npm run ${name}`,
  text.replaceAll('&&', '\n'),
]);
const shellScripts = ['scripts/start', 'scripts/test', 'scripts/cluster'].map((path) => [path, read(path)]);

/** What a line of a command compiles. */
function compiledByLine(line) {
  const compiles = /(?:\btsc -b|^compile)((?: packages\/[a-z]+)*)/.exec(line);
  if (compiles === null) return [];
  return [...compiledBy([...compiles[1].matchAll(/packages\/([a-z]+)/g)].map(([, name]) => name))];
}

test('in a clean checkout each command compiles what its programs import', () => {
  const missing = [];
  let found = 0;
  for (const [command, text] of [...commands, ...shellScripts]) {
    const compiled = new Set();
    for (const line of text.split('\n')) {
      for (const name of compiledByLine(line)) compiled.add(name);
      const programs = [...line.matchAll(/scripts\/[\w/-]+\.mjs/g)].flat();
      const needed = [...new Set(programs.flatMap((program) => compiledPackages(program)))];
      found += needed.length;
      missing.push(...needed.filter((name) => !compiled.has(name)).map((name) => `${command}: ${name}`));
    }
  }
  expect(missing).toEqual([]);
  // Of the cluster, the benchmarks, the soak, the failover, the stories, the documents twice.
  expect(found).toBeGreaterThan(7);
});
