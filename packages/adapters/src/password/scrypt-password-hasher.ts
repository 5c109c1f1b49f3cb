import { createHash, randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import type { PasswordHash, PasswordHasher } from '@carillon/core';
import { isBcryptHash, verifyBcrypt } from './bcrypt.js';

/** The effort of one hash. */
export interface ScryptEffort {
  /** Binary logarithm of the cost: 15 takes 32 MiB. */
  costLog: number;
  blockSize: number;
  parallel: number;
}

/** About as hard as the usual recommendations, in memory that a small container has. */
const usualEffort: ScryptEffort = { costLog: 15, blockSize: 8, parallel: 3 };
const saltBytes = 16;
const hashBytes = 32;
const pattern =
  /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{2,88})\$([A-Za-z0-9+/]{43})$/;
const sha256Pattern = /^[0-9a-f]{64}$/i;

/** Scrypt in the thread pool of the process; also checks the hashes of Cronicle. See PasswordHasher. */
export class ScryptPasswordHasher implements PasswordHasher {
  readonly #effort: ScryptEffort;

  constructor(effort: ScryptEffort = usualEffort) {
    this.#effort = effort;
  }

  async hash(password: string): Promise<PasswordHash> {
    const salt = randomBytes(saltBytes);
    const { costLog, blockSize, parallel } = this.#effort;
    const bytes = await derive(password, salt, this.#effort);
    const text = `$scrypt$ln=${costLog},r=${blockSize},p=${parallel}$${base64(salt)}$${base64(bytes)}`;
    return { password: text, salt: '' };
  }

  async verify(password: string, hash: PasswordHash): Promise<boolean> {
    const own = parse(hash.password);
    if (own !== undefined) {
      const bytes = await derive(password + hash.salt, own.salt, own.effort);
      return timingSafeEqual(bytes, own.bytes);
    }
    const salted = password + hash.salt;
    if (isBcryptHash(hash.password)) return verifyBcrypt(salted, hash.password);
    if (!sha256Pattern.test(hash.password)) return false;
    const digest = createHash('sha256').update(salted, 'utf8').digest();
    return timingSafeEqual(digest, Buffer.from(hash.password, 'hex'));
  }

  isOutdated(hash: PasswordHash): boolean {
    const own = parse(hash.password)?.effort;
    const { costLog, blockSize, parallel } = this.#effort;
    return own === undefined || own.costLog < costLog || own.blockSize < blockSize || own.parallel < parallel;
  }
}

/** Undefined for texts of another form, and for an effort that nobody would have asked for. */
function parse(text: string): { effort: ScryptEffort; salt: Buffer; bytes: Buffer } | undefined {
  const [, ln, r, p, salt = '', bytes = ''] = pattern.exec(text) ?? [];
  if (ln === undefined) return undefined;
  const effort = { costLog: Number(ln), blockSize: Number(r), parallel: Number(p) };
  const isUsable =
    effort.costLog >= 1 &&
    effort.costLog <= 18 &&
    effort.blockSize >= 1 &&
    effort.blockSize <= 16 &&
    effort.parallel >= 1 &&
    effort.parallel <= 16;
  return isUsable
    ? { effort, salt: Buffer.from(salt, 'base64'), bytes: Buffer.from(bytes, 'base64') }
    : undefined;
}

function derive(password: string, salt: Buffer, effort: ScryptEffort): Promise<Buffer> {
  const cost = 2 ** effort.costLog;
  const options = {
    cost,
    blockSize: effort.blockSize,
    parallelization: effort.parallel,
    maxmem: 128 * effort.blockSize * (cost + effort.parallel + 2) + 1_048_576,
  };
  return new Promise((resolve, reject) => {
    scrypt(password.normalize('NFC'), salt, hashBytes, options, (error, bytes) => {
      if (error === null) resolve(bytes);
      else reject(error);
    });
  });
}

const base64 = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '');
