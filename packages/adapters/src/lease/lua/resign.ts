import type { ScriptSource } from '../../redis/redis-script.js';

export const resignScript: ScriptSource = {
  name: 'Resign',
  keys: 2,
  lua: `
-- Gives up the lease of exactly this token and announces it with an empty message. The term stays, so that the
-- next one is larger.
-- KEYS 1 lease  2 primary
-- ARGV 1 token  2 channel
-- Answers 1, or 0 when the token does not hold the lease; nothing is changed then.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1], KEYS[2])
redis.call('PUBLISH', ARGV[2], '')
return 1
`,
};
