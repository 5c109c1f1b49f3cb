import { existsSync } from 'node:fs';
import type { ProcessSampler } from '@carillon/core';
import { PidusageSampler } from './pidusage-sampler.js';
import { ProcSampler } from './proc-sampler.js';

/** The best sampler this system has. */
export function createProcessSampler(): ProcessSampler {
  return existsSync('/proc/self/stat') ? new ProcSampler() : new PidusageSampler();
}
