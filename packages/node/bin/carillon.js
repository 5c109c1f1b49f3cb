#!/usr/bin/env node
import { setFlagsFromString } from 'node:v8';

// Loading the program makes much garbage and keeps little: without this its memory would stay as large as the garbage.
// runNode ends it, so that a node under load has room again.
setFlagsFromString('--semi-space-growth-factor=1');
await import('../dist/main.js');
