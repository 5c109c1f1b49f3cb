import type { ScriptSource } from '../../redis/redis-script.js';

export const claimScript: ScriptSource = {
  name: 'Claim',
  keys: 2,
  lua: `
-- Takes a run for a worker: from dispatched-to-this-node to claimed, at most once for a (job, attempt). Repeated with
-- the same boot and nonce it answers as the first time.
-- KEYS 1 runs (hash: job -> JSON [state, attempt, node, boot, nonce, claimed at])  2 jobs (hash: job -> JSON)
-- ARGV 1 job  2 attempt  3 node  4 boot  5 nonce
-- Answers { 1, job JSON }, or { 0, what is in the way }; nothing was written then. The words are: absent, attempt,
-- node, revoked, claimed.
local text = redis.call('HGET', KEYS[1], ARGV[1])
local job = redis.call('HGET', KEYS[2], ARGV[1])
if not text or not job then return { 0, 'absent' } end
local run = cjson.decode(text)
if run[2] ~= ARGV[2] then return { 0, 'attempt' } end
if run[3] ~= ARGV[3] then return { 0, 'node' } end
if run[1] == 'revoked' then return { 0, 'revoked' } end
if run[1] == 'claimed' then
  if run[4] == ARGV[4] and run[5] == ARGV[5] then return { 1, job } end
  return { 0, 'claimed' }
end
local now = redis.call('TIME')[1]
redis.call('HSET', KEYS[1], ARGV[1], cjson.encode({ 'claimed', ARGV[2], ARGV[3], ARGV[4], ARGV[5], now }))
return { 1, job }
`,
};
