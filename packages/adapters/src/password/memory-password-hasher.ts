import type { PasswordHash, PasswordHasher } from '@carillon/core';

/**
 * Marks passwords instead of hashing them: for tests, which have no time. A hash whose text starts with `old:` counts as
 * made by an earlier method.
 */
export class MemoryPasswordHasher implements PasswordHasher {
  /** Passwords that were checked, in order. */
  readonly checked: string[] = [];
  #count = 0;

  async hash(password: string): Promise<PasswordHash> {
    this.#count += 1;
    return { password: `new:${this.#count}:${reverse(password)}`, salt: '' };
  }

  async verify(password: string, hash: PasswordHash): Promise<boolean> {
    this.checked.push(password);
    const text = /^(?:new:\d+|old):(.*)$/s.exec(hash.password)?.[1];
    return text === reverse(password + hash.salt);
  }

  isOutdated(hash: PasswordHash): boolean {
    return !hash.password.startsWith('new:');
  }
}

const reverse = (text: string): string => [...text].reverse().join('');
