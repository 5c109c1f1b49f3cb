export { MemoryPasswordHasher } from './memory-password-hasher.js';
export { ScryptPasswordHasher } from './scrypt-password-hasher.js';
