import type { ScriptSource } from '../../redis/redis-script.js';

export const renewScript: ScriptSource = {
  name: 'Renew',
  keys: 1,
  lua: `
-- Extends the lease of exactly this token.
-- KEYS 1 lease
-- ARGV 1 token  2 time to live in ms
-- Answers 1, or 0 when the token does not hold the lease; nothing is changed then.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
`,
};
