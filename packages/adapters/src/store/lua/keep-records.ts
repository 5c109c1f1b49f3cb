import type { ScriptSource } from '../../redis/redis-script.js';

export const keepRecordsScript: ScriptSource = {
  name: 'KeepRecords',
  keys: 1,
  moreKeys: true,
  lua: `
-- Moves the ends of records; one that lies in the past removes the record. Records that do not exist are not made.
-- Harmless when repeated.
-- KEYS 1 term, then every record's
-- ARGV 1 term  then for each record: its key (of the same hash tag), and the end in Unix seconds
-- Answers how many exist, or FENCED when another term has begun; nothing was written then.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 'FENCED' end
local moved = 0
for n = 2, #ARGV, 2 do moved = moved + redis.call('EXPIREAT', ARGV[n], ARGV[n + 1]) end
return moved
`,
};
