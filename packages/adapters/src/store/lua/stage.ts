import type { ScriptSource } from '../../redis/redis-script.js';

export const stageScript: ScriptSource = {
  name: 'Stage',
  keys: 2,
  lua: `
-- Puts commands aside for a later commit. Harmless when repeated.
-- KEYS 1 term  2 stage (hash: number -> JSON list of commands)
-- ARGV 1 term  2 number of the piece, from 0  3 JSON list of lists of words  4 seconds to live without another piece
-- Answers 1, or FENCED when another term has begun; nothing was written then.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 'FENCED' end
redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
redis.call('EXPIRE', KEYS[2], ARGV[4])
return 1
`,
};
