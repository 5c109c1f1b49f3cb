import type { ScriptSource } from '../../redis/redis-script.js';

export const beginScript: ScriptSource = {
  name: 'Begin',
  keys: 3,
  lua: `
-- Starts a sequence of commits in the present term. Commits of every earlier sequence, also delayed ones of the same
-- term, are refused from now on. A repeated call starts another sequence, which is harmless.
-- KEYS 1 term  2 sequence (hash: session, number)  3 loads (counter)
-- ARGV 1 term
-- Answers the name of the session, or FENCED when another term has begun; nothing was written then.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 'FENCED' end
local session = ARGV[1] .. ':' .. string.format('%.0f', redis.call('INCR', KEYS[3]))
redis.call('HSET', KEYS[2], 'session', session, 'number', '0')
return session
`,
};
