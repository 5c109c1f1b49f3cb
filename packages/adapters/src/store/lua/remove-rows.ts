import type { ScriptSource } from '../../redis/redis-script.js';

export const removeRowsScript: ScriptSource = {
  name: 'RemoveRows',
  keys: 2,
  lua: `
-- Removes rows from a place in a list, in one pass over the list whatever their number. Harmless when repeated.
-- KEYS 1 term  2 list of rows, newest first
-- ARGV 1 term  2 oldest rows passed over  3 rows looked at before those  4… rows to remove, as stored
-- Answers how many were removed, or FENCED when another term has begun; nothing was written then.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 'FENCED' end
local unwanted = {}
for n = 4, #ARGV do unwanted[ARGV[n]] = true end
local length = redis.call('LLEN', KEYS[2])
local last = length - 1 - tonumber(ARGV[2])
local first = math.max(0, last - tonumber(ARGV[3]) + 1)
if last < 0 then return 0 end
local removed = 0
for n, row in ipairs(redis.call('LRANGE', KEYS[2], first, last)) do
  if unwanted[row] then
    -- No row is empty, so that this marks what is to go.
    redis.call('LSET', KEYS[2], first + n - 1, '')
    removed = removed + 1
  end
end
if removed > 0 then
  -- From the nearer end of the list.
  local nearOldest = last > length / 2
  redis.call('LREM', KEYS[2], nearOldest and -removed or removed, '')
end
return removed
`,
};
