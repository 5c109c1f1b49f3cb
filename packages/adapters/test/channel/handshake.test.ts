import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  isProof,
  parseChallenge,
  parseClientProof,
  parseServerProof,
  proofOf,
} from '../../src/channel/handshake.js';

const hex = fc.stringMatching(/^[0-9a-f]{64}$/);
const nonces = fc.record({ server: hex, client: hex });

describe('proofs', () => {
  test('a proof holds for exactly its secret, role and nonces', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), nonces, nonces, (secret, other, now, later) => {
        const proof = proofOf(secret, 'client', now);
        expect(isProof(proof, secret, 'client', now)).toBe(true);
        // Reflected to its author.
        expect(isProof(proof, secret, 'server', now)).toBe(false);
        expect(isProof(proof, secret, 'client', { server: now.client, client: now.server })).toBe(
          now.server === now.client,
        );
        if (other !== secret) expect(isProof(proof, other, 'client', now)).toBe(false);
        if (later.server !== now.server) {
          // Replayed to a server with a fresh challenge.
          expect(isProof(proof, secret, 'client', { ...now, server: later.server })).toBe(false);
        }
        if (later.client !== now.client) {
          expect(isProof(proof, secret, 'client', { ...now, client: later.client })).toBe(false);
        }
      }),
    );
  });

  test.each(['', 'x', '0'.repeat(63), '0'.repeat(65), 'G'.repeat(64), 'é'.repeat(64), 'A'.repeat(64)])(
    'malformed text is no proof: %s',
    (proof) => {
      expect(isProof(proof, 's', 'client', { server: '0', client: '1' })).toBe(false);
    },
  );

  test('the secret and the proof do not resemble each other', () => {
    expect(proofOf('secret', 'client', { server: 'a', client: 'b' })).toMatch(/^[0-9a-f]{64}$/);
    expect(proofOf('secret', 'client', { server: 'a', client: 'b' })).not.toContain('secret');
  });
});

describe('handshake messages', () => {
  test('any text is parsed without throwing, and only well-formed fields pass', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        for (const parse of [parseChallenge, parseClientProof, parseServerProof]) {
          const parsed = parse(text);
          if (parsed !== undefined) {
            for (const value of Object.values(parsed)) expect(value).toMatch(/^[0-9a-f]{64}$/);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  test('fields are read, inherited ones are not', () => {
    const [nonce, proof] = ['a'.repeat(64), 'b'.repeat(64)];
    expect(parseClientProof(JSON.stringify({ nonce, proof }))).toEqual({ nonce, proof });
    expect(parseChallenge(JSON.stringify({ nonce }))).toEqual({ nonce });
    expect(parseServerProof(JSON.stringify({ proof }))).toEqual({ proof });
    expect(parseClientProof(JSON.stringify({ nonce }))).toBeUndefined();
    expect(parseChallenge(`{"__proto__":{"nonce":"${nonce}"}}`)).toBeUndefined();
  });
});
