import { createHash, randomBytes, randomInt } from 'node:crypto';
import type { Digest, Random } from '@carillon/core';

/** Cryptographic randomness of the machine. `integer` takes bounds up to 2^48. */
export class SystemRandom implements Random {
  integer(bound: number): number {
    return randomInt(bound);
  }

  hex(bytes: number): string {
    return randomBytes(bytes).toString('hex');
  }
}

/** SHA-256 by the machine's crypto library. */
export class SystemDigest implements Digest {
  sha256(text: string): string {
    return createHash('sha256').update(text, 'utf8').digest('hex');
  }
}
