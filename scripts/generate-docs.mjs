/**
 * Writes the documents that are made from the program: docs/api.md, docs/openapi.json, docs/cli.md, docs/configuration.md
 * and .env.example.
 * Needs a build. With --check nothing is written; the exit code is 1 when a file is not up to date.
 *
 *   node scripts/generate-docs.mjs [--check]
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cliReference } from '../packages/cli/dist/index.js';
import * as contract from '../packages/contract/dist/index.js';
import { configReference, environmentExample } from '../packages/node/dist/config/reference.js';
import { version } from '../packages/node/dist/start/version.js';
import { apiReference } from './lib/api-reference.mjs';

const root = new URL('../', import.meta.url);
const documents = {
  'docs/api.md': () => apiReference(contract),
  'docs/openapi.json': () => `${JSON.stringify(contract.openApiDocument(version), undefined, 2)}\n`,
  'docs/cli.md': cliReference,
  'docs/configuration.md': configReference,
  '.env.example': environmentExample,
};

const check = process.argv.includes('--check');
for (const [path, render] of Object.entries(documents)) {
  const file = new URL(path, root);
  const text = render();
  if (existsSync(file) && readFileSync(file, 'utf8') === text) continue;
  if (check) {
    console.error(`${path} is not up to date: run npm run docs`);
    process.exitCode = 1;
  } else {
    writeFileSync(file, text);
    console.error(`${path} written`);
  }
}
