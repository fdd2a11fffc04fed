-- KEYS[1] root
-- ARGV    id, owner, lease ms, deliveries allowed, quiet ms after a start of the server, the wire version we read
-- reply   {'go', fence, request, user, lane, submitted ms, now ms, deadline ms or 0, cost, maybe, attempts, tried, grow,
--          first begun ms, what the audit log has of it or ''}
--         {'ended', outcome, told} | {'drop', state} | {'missing'} | {'early', ms to wait}
-- keeps   only a released job can begin; one fence per start; every other delivery is dropped
local id, owner, lease, allowed = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local wait = quiet_left(tonumber(ARGV[5]))
if wait > 0 then return { 'early', wait } end
local state = field(id, 'state')
if not state then return { 'missing' } end

local function ended() return { 'ended', redis.call('GET', key('o', id)) or '', field(id, 'told') or '' } end
if FINAL[state] then return ended() end
if state ~= 'released' then return { 'drop', state } end
if orphan(id) then return ended() end
if number(id, 'wire') > tonumber(ARGV[6]) then return { 'drop', 'newer' } end   -- the sweep publishes it again

local lane, turn, deadline = field(id, 'lane'), number(id, 'turn'), number(id, 'deadline')
if turn > tonumber(redis.call('HGET', key('seq'), lane .. ':begun') or '0') then
  redis.call('HSET', key('seq'), lane .. ':begun', turn)
end
if deadline > 0 and deadline <= now then
  finish(id, 'expired', EXPIRED)
  return ended()
end
if redis.call('HINCRBY', job_key(id), 'deliveries', 1) > allowed then
  finish(id, 'dead', POISONED)
  return ended()
end
local fence = redis.call('HINCRBY', job_key(id), 'fence', 1)
redis.call('HSET', job_key(id), 'state', 'running', 'owner', owner)
redis.call('HSETNX', job_key(id), 'began', now)
redis.call('ZADD', key('open'), now + lease, id)
return { 'go', fence, redis.call('GET', key('q', id)), field(id, 'user'), lane, number(id, 'at'), now, deadline,
         number(id, 'cost'), number(id, 'maybe'), number(id, 'attempts'), field(id, 'tried') or '', number(id, 'grow'),
         number(id, 'began'), field(id, 'asked') or '' }
