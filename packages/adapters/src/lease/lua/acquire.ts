import type { ScriptSource } from '../../redis/redis-script.js';

export const acquireScript: ScriptSource = {
  name: 'Acquire',
  keys: 3,
  lua: `
-- Takes the lease when it is free or already held under the same token. A free lease starts a new term, which is
-- larger than every earlier one, also when the last writes before a crash of Redis were lost: it is at least the
-- time in milliseconds. Repeating the call with the same token answers with the same term.
-- KEYS 1 lease  2 term  3 primary
-- ARGV 1 token  2 time to live in ms  3 candidate as a JSON object with at least one member  4 channel
-- Answers { 1, term, holder JSON } when held, { 0, '', holder JSON or '' } when another token holds it.
local current = redis.call('GET', KEYS[1])
if current == ARGV[1] then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  return { 1, redis.call('GET', KEYS[2]), redis.call('GET', KEYS[3]) or '' }
end
if current then
  return { 0, '', redis.call('GET', KEYS[3]) or '' }
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local term = string.format('%.0f', math.max(tonumber(redis.call('GET', KEYS[2]) or '0') + 1, now))
local info = string.sub(ARGV[3], 1, -2) .. ',"term":' .. term .. '}'
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('SET', KEYS[2], term)
redis.call('SET', KEYS[3], info)
redis.call('PUBLISH', ARGV[4], info)
return { 1, term, info }
`,
};
