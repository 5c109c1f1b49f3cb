import type { ScriptSource } from '../../redis/redis-script.js';

export const revokeScript: ScriptSource = {
  name: 'Revoke',
  keys: 2,
  lua: `
-- Takes a dispatched run back, so that it cannot be claimed unless it is dispatched again. Harmless when repeated.
-- KEYS 1 term  2 runs (hash: job -> JSON [state, attempt, node, boot, nonce, claimed at])
-- ARGV 1 term  2 job  3 attempt
-- Answers { 'revoked' }, { 'claimed', boot } when a worker was first, { 'absent' } when there is no such run, or
-- { 'FENCED' } when another term has begun. Only 'revoked' writes.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return { 'FENCED' } end
local text = redis.call('HGET', KEYS[2], ARGV[2])
if not text then return { 'absent' } end
local run = cjson.decode(text)
if run[2] ~= ARGV[3] then return { 'absent' } end
if run[1] == 'claimed' then return { 'claimed', run[4] } end
redis.call('HSET', KEYS[2], ARGV[2], cjson.encode({ 'revoked', run[2], run[3] }))
return { 'revoked' }
`,
};
