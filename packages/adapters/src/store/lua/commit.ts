import type { ScriptSource } from '../../redis/redis-script.js';

export const commitScript: ScriptSource = {
  name: 'Commit',
  keys: 2,
  moreKeys: true,
  lua: `
-- Applies one commit: whole, once, in its place in the session's sequence, and only in the present term. A repeated
-- commit is acknowledged without being applied again. When the answer is not OK nothing was written.
-- KEYS 1 term  2 sequence (hash: session, number)
--      then every key of the commands, those put aside included: while a cluster moves them to another server, one that is no longer, or not yet,
--      here refuses the script before it starts, not in the middle.
-- ARGV 1 term  2 session  3 number of this commit in the session, from 1
--      then for each command: the count of its words, and the words. Two of them are conditions, which skip the next
--      N commands: { only-if, hash, field, N } unless the field exists, and { not-if, hash, field, prefix, N } when
--      the field's value starts with the prefix. { staged, hash, N } stands for the commands that were put aside in a
--      hash, as N JSON lists of lists of words under 0 to N - 1; it may only come first.
-- Answers OK; FENCED when another term has begun; GAP when an earlier commit of the session, or a piece that was put
-- aside, is missing.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 'FENCED' end
local last = redis.call('HMGET', KEYS[2], 'session', 'number')
if last[1] ~= ARGV[2] then return 'GAP' end
local number, done = tonumber(ARGV[3]), tonumber(last[2])
if number <= done then return 'OK' end
if number ~= done + 1 then return 'GAP' end
if ARGV[5] == 'staged' and redis.call('HLEN', ARGV[6]) ~= tonumber(ARGV[7]) then return 'GAP' end
redis.call('HSET', KEYS[2], 'number', ARGV[3])
local at, size, skip = 4, #ARGV, 0
while at <= size do
  local count = tonumber(ARGV[at])
  local name = ARGV[at + 1]
  if skip > 0 then
    skip = skip - 1
  elseif name == 'only-if' then
    if redis.call('HEXISTS', ARGV[at + 2], ARGV[at + 3]) == 0 then skip = tonumber(ARGV[at + 4]) end
  elseif name == 'not-if' then
    local value = redis.call('HGET', ARGV[at + 2], ARGV[at + 3])
    local prefix = ARGV[at + 4]
    if value and string.sub(value, 1, #prefix) == prefix then skip = tonumber(ARGV[at + 5]) end
  elseif name == 'staged' then
    for piece = 0, tonumber(ARGV[at + 3]) - 1 do
      local commands = cjson.decode(redis.call('HGET', ARGV[at + 2], tostring(piece)))
      for _, words in ipairs(commands) do redis.call(unpack(words)) end
    end
    redis.call('UNLINK', ARGV[at + 2])
  else
    redis.call(unpack(ARGV, at + 1, at + count))
  end
  at = at + count + 1
end
return 'OK'
`,
};
