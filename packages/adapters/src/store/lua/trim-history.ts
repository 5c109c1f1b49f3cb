import type { ScriptSource } from '../../redis/redis-script.js';

export const trimHistoryScript: ScriptSource = {
  name: 'TrimHistory',
  keys: 2,
  lua: `
-- Takes the oldest rows beyond a length off a list, a limited number at a time. Harmless when repeated.
-- KEYS 1 term  2 list of rows, newest first
-- ARGV 1 term  2 length to keep  3 most rows to take off
-- Answers how many were taken off, or FENCED when another term has begun; nothing was written then.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 'FENCED' end
local over = math.min(redis.call('LLEN', KEYS[2]) - tonumber(ARGV[2]), tonumber(ARGV[3]))
if over <= 0 then return 0 end
redis.call('LTRIM', KEYS[2], 0, -over - 1)
return over
`,
};
