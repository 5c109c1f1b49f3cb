import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import * as contract from '@carillon/contract';
import { apiReference, typeText } from '../api-reference.mjs';

const text = apiReference(contract);

test('docs/api.md is up to date (npm run docs)', () => {
  expect(readFileSync(new URL('../../../docs/api.md', import.meta.url), 'utf8')).toBe(text);
});

test('every call, parameter, privilege and error code is there', () => {
  for (const [name, call] of Object.entries(contract.apiCalls)) {
    const section = text.split(`\n## ${name}\n`)[1]?.split('\n## ')[0] ?? '';
    expect(section).toContain(contract.callPath(name));
    for (const parameter of Object.keys(call.params.properties))
      expect(section).toContain(`| \`${parameter}\` |`);
  }
  for (const code of Object.keys(contract.errorTable)) expect(text).toContain(`| \`"${code}"\` |`);
  for (const privilege of Object.keys(contract.privileges)) expect(text).toContain(`| \`${privilege}\` |`);
});

test.each([
  [{ type: 'string' }, 'text'],
  [{ type: 'string', pattern: '^a|b$' }, 'text, `^a\\|b$`'],
  [{ type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER }, 'whole number ≥ 0'],
  [{ type: 'integer', minimum: 1, maximum: 12 }, 'whole number 1–12'],
  [{ anyOf: [{ const: 'a' }, { const: 'b' }] }, 'one of `"a"` `"b"`'],
  [{ anyOf: [{ type: 'integer' }, { type: 'boolean' }] }, 'whole number or boolean'],
  [{ type: 'array', items: { type: 'string' } }, 'list of text'],
  [{ type: 'object', properties: { a: {} } }, 'object of `a`'],
  [{}, 'anything'],
])('typeText(%j)', (schema, expected) => {
  expect(typeText(schema)).toBe(expected);
});
