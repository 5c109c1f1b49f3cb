#!/usr/bin/env node
import { existsSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';

const program = new URL('../dist/bundle/main.js', import.meta.url);
if (!existsSync(program)) {
  process.stderr.write('carillon: The program has not been built: run `npm run build`\n');
  process.exit(1);
}

// Loading the program makes much garbage and keeps little: without this its memory would stay as large as the garbage.
// runNode ends it, so that a node under load has room again.
setFlagsFromString('--semi-space-growth-factor=1');
// Young objects are collected by the thread that made them: those that would help wait for a processor while jobs start.
setFlagsFromString('--no-parallel-scavenge');
await import(program.href);
