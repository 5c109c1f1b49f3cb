export { RedisTimedClock } from './redis-timed-clock.js';
export { SystemClock } from './system-clock.js';
