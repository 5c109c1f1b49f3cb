import { runInThisContext } from 'node:vm';

/** Jest gives its tests a copy of `process`, which hears of no signal: this is the original. */
export function signalsOfThisProcess(): NodeJS.EventEmitter {
  return runInThisContext('process') as NodeJS.EventEmitter;
}
