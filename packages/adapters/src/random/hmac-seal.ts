import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Seal } from '@carillon/core';

const hex64 = /^[0-9a-f]{64}$/;

/** HMAC-SHA256 under a secret. A proof for one purpose is none for another. */
export class HmacSeal implements Seal {
  readonly #secret: string;
  readonly #purpose: string;

  /** `purpose` must hold no line break. */
  constructor(secret: string, purpose: string) {
    this.#secret = secret;
    this.#purpose = purpose;
  }

  of(text: string): string {
    return createHmac('sha256', this.#secret).update(`${this.#purpose}\n${text}`).digest('hex');
  }

  isOf(proof: string, text: string): boolean {
    if (!hex64.test(proof)) return false;
    return timingSafeEqual(Buffer.from(proof, 'hex'), Buffer.from(this.of(text), 'hex'));
  }
}
