/** Randomness and digests. Seedable in tests; cryptographic in production. */
export interface Random {
  /** Uniform integer, 0 ≤ n < bound; bound ≥ 1. */
  integer(bound: number): number;
  /** `bytes` random bytes as lower-case hex. */
  hex(bytes: number): string;
}

/** Proofs that a text is from a holder of the cluster secret. */
export interface Seal {
  /** The proof for a text, lower-case hex. */
  of(text: string): string;
  /** Is it the proof for this text? Takes equally long wherever it differs; false for anything that is no proof. */
  isOf(proof: string, text: string): boolean;
}

export interface Digest {
  /** SHA-256 of UTF-8 text, lower-case hex. */
  sha256(text: string): string;
}
