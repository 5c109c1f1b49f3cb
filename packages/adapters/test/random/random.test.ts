import { SeededRandom } from '@carillon/testkit';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { HmacSeal, SystemDigest, SystemRandom } from '../../src/random/index.js';

describe.each([
  ['SystemRandom', () => new SystemRandom()],
  ['SeededRandom', () => new SeededRandom(7)],
])('%s', (_name, create) => {
  test('integers are within the bound and reach both ends', () => {
    const random = create();
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 40 }), (bound) => {
        const value = random.integer(bound);
        expect(Number.isInteger(value) && value >= 0 && value < bound).toBe(true);
      }),
    );
    const seen = new Set(Array.from({ length: 400 }, () => random.integer(4)));
    expect(seen).toEqual(new Set([0, 1, 2, 3]));
    expect(random.integer(1)).toBe(0);
  });

  test('hex has two digits per byte and does not repeat', () => {
    const random = create();
    expect(random.hex(0)).toBe('');
    const texts = Array.from({ length: 100 }, () => random.hex(16));
    for (const text of texts) expect(text).toMatch(/^[0-9a-f]{32}$/);
    expect(new Set(texts).size).toBe(100);
  });
});

test('SeededRandom repeats itself for a seed, and differs between seeds', () => {
  const series = (seed: number): number[] => {
    const random = new SeededRandom(seed);
    return Array.from({ length: 20 }, () => random.integer(1_000_000));
  };
  expect(series(3)).toEqual(series(3));
  expect(series(3)).not.toEqual(series(4));
  expect(new Set(series(0)).size).toBeGreaterThan(15);
});

test('SystemDigest is SHA-256 of UTF-8', () => {
  // From FIPS 180-4 examples, and a text with a multi-byte character.
  expect(new SystemDigest().sha256('abc')).toBe(
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  );
  expect(new SystemDigest().sha256('ä')).not.toBe(new SystemDigest().sha256('a'));
});

test('HmacSeal proves a text to holders of the secret, for one purpose', () => {
  const seal = new HmacSeal('secret', 'purpose');
  // As `printf 'purpose\ntext' | openssl dgst -sha256 -hmac secret` says.
  const proof = seal.of('text');
  expect(proof).toBe('6bd4e7dae0a89b252e46dbdf83d912c0a4161bc1ee4f9608ff9aa71271d83893');
  expect(seal.isOf(proof, 'text')).toBe(true);
  expect(new HmacSeal('secret', 'purpose').isOf(proof, 'text')).toBe(true);
  expect(seal.isOf(proof, 'Text')).toBe(false);
  expect(new HmacSeal('Secret', 'purpose').isOf(proof, 'text')).toBe(false);
  expect(new HmacSeal('secret', 'other').isOf(proof, 'text')).toBe(false);
  for (const none of ['', 'x', proof.slice(1), proof.toUpperCase(), `${proof}0`, 'é'.repeat(64)]) {
    expect(seal.isOf(none, 'text')).toBe(false);
  }
});
