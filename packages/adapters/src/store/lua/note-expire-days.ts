import type { ScriptSource } from '../../redis/redis-script.js';

export const noteExpireDaysScript: ScriptSource = {
  name: 'NoteExpireDays',
  keys: 2,
  lua: `
-- Notes for how many days everything is kept that is kept now. Harmless when repeated.
-- KEYS 1 term  2 master (hash: enabled, tick_minute, stats_day, expire_days)
-- ARGV 1 term  2 days
-- Answers 1, or FENCED when another term has begun; nothing was written then.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 'FENCED' end
redis.call('HSET', KEYS[2], 'expire_days', ARGV[2])
return 1
`,
};
