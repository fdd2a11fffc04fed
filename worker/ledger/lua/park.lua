-- KEYS[1] root
-- ARGV    id, fence, delay ms, fault or '', billing, micro, tokens, cool ms, told (see heed), what it waits behind or '',
--         crashed (1: counts as a delivery), grow, patient (1: the time to finish begins anew with the next start),
--         output tokens, what the audit log has of it or ''
-- reply   {'ok' | 'lost' | 'cancelled', publication orders...}
-- keeps   hold returned or kept as possibly billed, slot freed, next released, in one step
local id, fence, delay, fault = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local end_ = { billing = ARGV[5], micro = tonumber(ARGV[6]), tokens = tonumber(ARGV[7]), output = tonumber(ARGV[14]),
               cool = tonumber(ARGV[8]), told = ARGV[9] }
local behind = ARGV[10]
if field(id, 'state') ~= 'running' or number(id, 'fence') ~= fence then return { 'lost' } end

close_attempt(id, fence, fault, end_)
if ARGV[11] ~= '1' then redis.call('HINCRBY', job_key(id), 'deliveries', -1) end
if ARGV[12] == '1' then redis.call('HSET', job_key(id), 'grow', 1) end
if ARGV[15] ~= '' then redis.call('HSET', job_key(id), 'asked', ARGV[15]) end
if ARGV[13] == '1' then redis.call('HDEL', job_key(id), 'began') end
if field(id, 'cancel') then
  finish(id, 'cancelled', CANCELLED)
  local out = { 'cancelled' }
  order(out, id)
  return release(out)
end

shut(id)
-- What it would wait behind may have moved since it looked; then nobody would wake it.
local function moved()
  local leader, budget, link = behind:match('^job:(.+)$'), behind:match('^budget:(.+)$'), behind:match('^link:(.+)$')
  if leader then return FINAL[field(leader, 'state')] or not field(leader, 'state') end
  if link then return not pace_of(link).probe end
  if behind == 'parts:' .. id then return number(id, 'parts') <= 0 or field(id, 'broken') end
  return budget and tonumber(redis.call('HGET', budget, 'h') or '0') < number(id, 'seen_held')
end
local link = behind:match('^pace:(.+)$')
if link then
  to_waiting(id, true)
  gate(field(id, 'lane'), field(id, 'user'), link)
elseif delay <= 0 or moved() then
  to_waiting(id, true)
else
  redis.call('HSET', job_key(id), 'state', 'parked')
  redis.call('ZADD', key('park'), now + delay, id)
  if behind ~= '' then
    redis.call('HSET', job_key(id), 'behind', behind)
    redis.call('RPUSH', key('f', behind), id)
    redis.call('PEXPIRE', key('f', behind), 172800000)
  end
end
return release({ 'ok' })
