import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { endRules } from '@carillon/core';
import { hasTest, namedTests } from '../named-tests.mjs';

const place = (path) => new URL(`../../../${path}`, import.meta.url);
const text = readFileSync(place('docs/jobs.md'), 'utf8');

/** Lines of the last table of the document, as trimmed cells, without its head. */
function rowsOf(document) {
  const table = document.slice(document.indexOf('\n| How | Kind |')).trim();
  return table
    .split('\n')
    .slice(2)
    .map((line) => line.split('|').slice(1, -1))
    .map((cells) => cells.map((cell) => cell.trim()));
}

const rows = rowsOf(text).map(
  ([how, kind, code, description, reason, retries, chain, minute, mail, hooks, tests]) => ({
    ...{ how, kind: kind.replaceAll('`', ''), code: code.replaceAll('`', ''), description, reason },
    ...{ retries, chain, minute, mail, hooks, tests },
  }),
);

describe('docs/jobs.md', () => {
  test('has a row for each kind of end', () => {
    const kinds = new Set(rows.map(({ kind }) => kind));
    expect(Object.keys(endRules).filter((kind) => !kinds.has(kind))).toEqual([]);
    expect([...kinds].filter((kind) => !Object.hasOwn(endRules, kind)).sort()).toEqual(['any', 'no end']);
  });

  test.each(rows.map((row) => [row.how, row]))('%s', (_how, row) => {
    const found = namedTests(row.tests);
    expect(found.length).toBe(row.tests.split('<br>').length);
    for (const { file, name } of found) {
      const path = place(`packages/${file}`);
      expect([file, existsSync(path)]).toEqual([file, true]);
      expect([file, name, hasTest(readFileSync(path, 'utf8'), name)]).toEqual([file, name, true]);
    }
  });

  test.each(rows.filter(({ kind }) => Object.hasOwn(endRules, kind)).map((row) => [row.how, row]))(
    'says what the rules say: %s',
    (_how, row) => {
      const rule = endRules[row.kind];
      const isSuccess = row.code === '0';
      const isAborted = row.description.startsWith('`Job Aborted: …`');
      expect(row).toMatchObject(
        isSuccess
          ? { retries: '–', chain: '`chain`', minute: 'done', mail: '`notify_success`', hooks: 'yes' }
          : {
              retries: rule.retry ? 'yes' : 'no',
              chain: rule.chainError ? '`chain_error`' : 'no',
              minute: expect.stringMatching(rule.rewind ? /^again/ : /^done$/),
              mail: rule.failMail ? '`notify_fail`' : 'no',
              hooks: 'yes',
            },
      );
      expect(row.reason === '–').toBe(!isAborted);
    },
  );

  test('links to files that exist', () => {
    const links = [...text.matchAll(/\]\(([^)#:]+)\)/g)].map(([, path]) => path);
    expect(links.length).toBeGreaterThan(0);
    expect(links.filter((path) => !existsSync(place(`docs/${path}`)))).toEqual([]);
  });

  test('a test that is gone would be noticed', () => {
    expect(hasTest("test('a job ends', () => {})", 'a job ends')).toBe(true);
    expect(hasTest("test('a job ends', () => {})", 'a job')).toBe(false);
    expect(hasTest('const endings = {\n  success: 1 }', 'success')).toBe(true);
    expect(namedTests('`worker/test/a.test.ts: x`<br>`core/test/b.test.ts: y z`')).toEqual([
      { file: 'worker/test/a.test.ts', name: 'x' },
      { file: 'core/test/b.test.ts', name: 'y z' },
    ]);
  });
});
