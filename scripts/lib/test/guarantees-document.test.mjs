import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { hasTest, namedTests } from '../named-tests.mjs';

const place = (path) => new URL(`../../../${path}`, import.meta.url);
const text = readFileSync(place('docs/guarantees.md'), 'utf8');

const nameOf = ({ file, name }) => `${file}: ${name}`;

test('every test that docs/guarantees.md names exists', () => {
  const tests = namedTests(text);
  expect(tests.length).toBeGreaterThan(30);
  const gone = tests.filter(({ file, name }) => {
    const path = place(`packages/${file}`);
    return !existsSync(path) || !hasTest(readFileSync(path, 'utf8'), name);
  });
  expect(gone.map(nameOf)).toEqual([]);
});

test('every story of node/test/story that proves a promise is named', () => {
  const named = new Set(namedTests(text).map(({ file }) => file));
  for (const file of [
    'leadership',
    'half-open',
    'half-open-requests',
    'redis-shapes',
    'lost-workers',
    'leaving',
    'redis-trouble',
    'same-name',
    'full-disk',
    'soak',
  ]) {
    expect(named).toContain(`node/test/story/${file}.test.ts`);
  }
});

test('it links to files that exist', () => {
  const links = [...text.matchAll(/\]\(([^)#:]+)(#[^)]*)?\)/g)].map(([, path]) => path);
  expect(links.length).toBeGreaterThan(0);
  expect(links.filter((path) => !existsSync(place(`docs/${path}`)))).toEqual([]);
});
