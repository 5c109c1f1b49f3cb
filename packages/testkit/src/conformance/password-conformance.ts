import type { PasswordHash, PasswordHasher } from '@carillon/core';
import { describe, expect, test } from '@jest/globals';

const passwords = ['geheim12', ' ', 'pässwörd ✓ 🔔', '$scrypt$ln=1,r=1,p=1$AA$AA', 'x'.repeat(1024), 'a\nb'];
const nonsense: PasswordHash[] = [
  { password: '', salt: '' },
  { password: 'geheim12', salt: '' },
  { password: '$scrypt$ln=99,r=99,p=99$AAAA$AAAA', salt: '' },
  { password: '$2b$31$abc', salt: 'x' },
  { password: '$argon2id$v=19$m=1,t=1,p=1$AAAA$AAAA', salt: '' },
];

/** What every implementation of PasswordHasher must do. */
export function passwordConformance(
  name: string,
  open: () => { hasher: PasswordHasher; outdated: { hash: PasswordHash; password: string } },
): void {
  describe(`${name}: PasswordHasher`, () => {
    test.each(passwords)('%j is known again, and nothing else is', async (password) => {
      const { hasher } = open();
      const hash = await hasher.hash(password);
      expect(await hasher.verify(password, hash)).toBe(true);
      for (const other of ['', `${password}x`, password.slice(1), password.toUpperCase()]) {
        if (other !== password) expect(await hasher.verify(other, hash)).toBe(false);
      }
    });

    test('a hash holds no password and is another one each time', async () => {
      const { hasher } = open();
      const [first, second] = [await hasher.hash('geheim12'), await hasher.hash('geheim12')];
      expect(first.password).not.toContain('geheim12');
      expect(first).not.toEqual(second);
      expect(hasher.isOutdated(first)).toBe(false);
    });

    test.each(nonsense)('%j is the hash of nothing', async (hash) => {
      const { hasher } = open();
      expect(await hasher.verify('geheim12', hash)).toBe(false);
      expect(await hasher.verify('', hash)).toBe(false);
      expect(hasher.isOutdated(hash)).toBe(true);
    });

    test('hashes of earlier methods are still known, and said to be outdated', async () => {
      const { hasher, outdated } = open();
      expect(hasher.isOutdated(outdated.hash)).toBe(true);
      expect(await hasher.verify(outdated.password, outdated.hash)).toBe(true);
      expect(await hasher.verify(`${outdated.password}x`, outdated.hash)).toBe(false);
    });
  });
}
