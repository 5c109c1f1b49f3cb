export { HmacSeal } from './hmac-seal.js';
export { SystemDigest, SystemRandom } from './system-random.js';
