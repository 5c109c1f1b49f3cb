import { describe } from '@jest/globals';
import { whyNoNamespaces } from './own-namespaces.js';

/**
 * A group of tests that need network namespaces. Where they cannot be had it is skipped: its name says why, and so does a
 * line of the output, because nothing is printed of files that are skipped as a whole.
 */
export function describeInNamespaces(name: string, tests: () => void): void {
  const reason = whyNoNamespaces();
  if (reason === undefined) {
    describe(name, tests);
    return;
  }
  process.stderr.write(`Skipped, because it ${reason}: ${name}\n`);
  describe.skip(`${name} (skipped: ${reason})`, tests);
}
