/** Randomness and digests. Seedable in tests; cryptographic in production. */
export interface Random {
  /** Uniform integer, 0 ≤ n < bound; bound ≥ 1. */
  integer(bound: number): number;
  /** `bytes` random bytes as lower-case hex. */
  hex(bytes: number): string;
}

export interface Digest {
  /** SHA-256 of UTF-8 text, lower-case hex. */
  sha256(text: string): string;
}
