export { SystemDigest, SystemRandom } from './system-random.js';
