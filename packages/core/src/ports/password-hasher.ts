/** What is stored of a password: never the password itself. */
export interface PasswordHash {
  /** A text that names its own method. */
  password: string;
  /** What was appended to the password before hashing; empty when the text holds its salt. */
  salt: string;
}

/**
 * Slow, salted hashes of passwords. The work is done beside the event loop or in small steps, so that requests and the
 * lease do not wait for it.
 */
export interface PasswordHasher {
  /** A hash of its own for each call, in the present method. */
  hash(password: string): Promise<PasswordHash>;
  /**
   * Is it the password of this hash? Compares in constant time. Also knows hashes that Cronicle made (behaviour
   * reference 2.6): bcrypt or SHA-256 of password and salt. False for texts of no known method.
   */
  verify(password: string, hash: PasswordHash): Promise<boolean>;
  /** True when the hash was made by another method, or with less effort, than `hash` takes now. */
  isOutdated(hash: PasswordHash): boolean;
}
