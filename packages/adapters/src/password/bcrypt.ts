import { timingSafeEqual } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { piWords } from './pi-words.js';

/** Sub-keys, and words of the four substitution boxes. */
const subKeys = 18;
const boxWords = 1024;
/** Longest part of a password that counts, its closing zero included. */
const keyBytes = 72;
/** Rounds between two turns of the event loop: a millisecond or two. */
const roundsAtOnce = 16;
/** More would keep the node busy for tens of seconds; nobody uses it. */
const largestCost = 15;
const alphabet = './ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const pattern = /^\$2[aby]\$(\d\d)\$([./A-Za-z0-9]{22})([./A-Za-z0-9]{31})$/;
/** "OrpheanBeholderScryDoubt". */
const plainWords = [0x4f727068, 0x65616e42, 0x65686f6c, 0x64657253, 0x63727944, 0x6f756274];

let startWords: Uint32Array | undefined;

/** Is it a hash that `verifyBcrypt` can check in reasonable time? */
export function isBcryptHash(hash: string): boolean {
  const cost = Number(pattern.exec(hash)?.[1] ?? 0);
  return cost >= 4 && cost <= largestCost;
}

/**
 * Checks a password against a bcrypt hash (`$2a$`, `$2b$`, `$2y$`), in small steps. Only checks: new hashes are made in
 * another way. False for what is no such hash.
 */
export async function verifyBcrypt(password: string, hash: string): Promise<boolean> {
  const [, cost = '', salt = '', digest = ''] = pattern.exec(hash) ?? [];
  if (!isBcryptHash(hash)) return false;
  const saltBytes = decode(salt, 16);
  const cipher = new Blowfish(cyclicWords(Buffer.from(`${password}\0`).subarray(0, keyBytes)), saltBytes);
  const rounds = 2 ** Number(cost);
  for (let round = 0; round < rounds; round += 1) {
    if (round % roundsAtOnce === roundsAtOnce - 1) await setImmediate();
    cipher.round();
  }
  const expected = decode(digest, 23);
  return timingSafeEqual(cipher.digest().subarray(0, expected.length), expected);
}

/** Blowfish with the expensive key schedule of bcrypt. */
class Blowfish {
  readonly #keys: Uint32Array;
  readonly #boxes: Uint32Array;
  readonly #key: Uint32Array;
  readonly #salt: Uint32Array;
  #left = 0;
  #right = 0;

  constructor(key: Uint32Array, salt: Buffer) {
    startWords ??= piWords(subKeys + boxWords);
    this.#keys = startWords.slice(0, subKeys);
    this.#boxes = startWords.slice(subKeys);
    this.#key = key;
    this.#salt = cyclicWords(salt);
    this.#mix(this.#key);
    this.#schedule((index) => this.#salt[index % 4] ?? 0);
  }

  /** One of the 2^cost rounds. */
  round(): void {
    this.#mix(this.#key);
    this.#schedule(() => 0);
    this.#mix(this.#salt);
    this.#schedule(() => 0);
  }

  digest(): Buffer {
    const bytes = Buffer.alloc(plainWords.length * 4);
    for (let pair = 0; pair < plainWords.length; pair += 2) {
      this.#left = plainWords[pair] ?? 0;
      this.#right = plainWords[pair + 1] ?? 0;
      for (let count = 0; count < 64; count += 1) this.#encrypt();
      bytes.writeUInt32BE(this.#left >>> 0, pair * 4);
      bytes.writeUInt32BE(this.#right >>> 0, pair * 4 + 4);
    }
    return bytes;
  }

  #mix(words: Uint32Array): void {
    for (let index = 0; index < subKeys; index += 1)
      this.#keys[index] = this.#wordAt(index) ^ (words[index] ?? 0);
  }

  #wordAt(index: number): number {
    return this.#keys[index] ?? 0;
  }

  /** Replaces all keys and boxes by what the cipher makes of the salt. */
  #schedule(saltWord: (index: number) => number): void {
    this.#left = 0;
    this.#right = 0;
    let word = 0;
    for (const table of [this.#keys, this.#boxes]) {
      for (let index = 0; index < table.length; index += 2) {
        this.#left ^= saltWord(word);
        this.#right ^= saltWord(word + 1);
        word += 2;
        this.#encrypt();
        table[index] = this.#left;
        table[index + 1] = this.#right;
      }
    }
  }

  #encrypt(): void {
    const keys = this.#keys;
    const boxes = this.#boxes;
    let left = this.#left ^ (keys[0] ?? 0);
    let right = this.#right;
    for (let index = 1; index < 17; index += 2) {
      right ^= feistel(boxes, left) ^ (keys[index] ?? 0);
      left ^= feistel(boxes, right) ^ (keys[index + 1] ?? 0);
    }
    this.#left = right ^ (keys[17] ?? 0);
    this.#right = left;
  }
}

function feistel(boxes: Uint32Array, word: number): number {
  const sum = ((boxes[word >>> 24] ?? 0) + (boxes[256 + ((word >>> 16) & 0xff)] ?? 0)) | 0;
  const mixed = sum ^ (boxes[512 + ((word >>> 8) & 0xff)] ?? 0);
  return (mixed + (boxes[768 + (word & 0xff)] ?? 0)) | 0;
}

/** The bytes over and over again, as many words as there are sub-keys. */
function cyclicWords(bytes: Buffer): Uint32Array {
  const words = new Uint32Array(subKeys);
  for (let index = 0; index < subKeys * 4; index += 1) {
    const word = index >>> 2;
    words[word] = ((words[word] ?? 0) << 8) | (bytes[index % bytes.length] ?? 0);
  }
  return words;
}

/** Base 64 in the alphabet of bcrypt. */
function decode(text: string, bytes: number): Buffer {
  const standard = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  const translated = [...text].map((letter) => standard[alphabet.indexOf(letter)]).join('');
  return Buffer.from(translated, 'base64').subarray(0, bytes);
}
