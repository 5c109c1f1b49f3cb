import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { logFields } from '../log-fields.mjs';

const root = fileURLToPath(new URL('../../../', import.meta.url));

test('fields are found in calls of a logger', () => {
  const source = `
    log.log('warn', 'A, b (c', { job, event: x.event, ...run, error: String(error) });
    this.#deps.logger.log(level, text, { ...(a ? {} : { worker: a }), count: f(1, { not: 2 }) });
    log.log('info', 'nothing');
  `;
  expect([...logFields(source)].sort()).toEqual(['count', 'error', 'event', 'job', 'worker']);
});

test('docs/operations.md has every field that is logged in its table', () => {
  const packages = join(root, 'packages');
  const logged = new Map();
  for (const name of readdirSync(packages)) {
    if (name === 'testkit') continue;
    for (const file of readdirSync(join(packages, name, 'src'), { recursive: true })) {
      if (!file.endsWith('.ts')) continue;
      for (const field of logFields(readFileSync(join(packages, name, 'src', file), 'utf8'))) {
        logged.set(field, join(name, 'src', String(file)));
      }
    }
  }
  expect(logged.size).toBeGreaterThan(20);
  const text = readFileSync(join(root, 'docs/operations.md'), 'utf8');
  const table = text.slice(text.indexOf('| field | is |'), text.indexOf('Credentials are replaced'));
  const listed = new Set([...table.matchAll(/`(\w+)`/g)].map(([, name]) => name));
  expect([...logged].filter(([field]) => !listed.has(field))).toEqual([]);
});
