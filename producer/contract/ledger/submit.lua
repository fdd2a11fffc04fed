-- KEYS[1] root
-- ARGV    id, user, lane, fingerprint, request JSON, continuation JSON or '', deadline ms from now or 0, delay ms,
--         idempotency key or '', id of the dead letter this replays or ''
-- reply   {'new' | 'same' | 'conflict', id of the job, publication orders...}
-- keeps   record, request, line and release are one step; repeating it with the same id or idempotency key changes nothing
local id, user, lane, fingerprint = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local deadline, delay = tonumber(ARGV[7]), tonumber(ARGV[8])
local idempotent = ARGV[9] ~= '' and key('ik', user, ARGV[9])
local before = idempotent and redis.call('GET', idempotent) or id
local known = field(before, 'fp')
if known then return { known == fingerprint and 'same' or 'conflict', before } end

if idempotent then redis.call('SET', idempotent, id, 'PX', 86400000) end
if ARGV[10] ~= '' then
  redis.call('HSET', job_key(id), 'replays', ARGV[10])
  if redis.call('EXISTS', key('d', ARGV[10])) == 1 then redis.call('HSET', key('d', ARGV[10]), 'replayed', id) end
end
redis.call('HSET', job_key(id), 'user', user, 'lane', lane, 'fp', fingerprint, 'at', now, 'fence', 0)
local group = redis.call('HGET', key('lim', 'user', user), 'group')
if group then redis.call('HSET', job_key(id), 'group', group) end
redis.call('SET', key('q', id), ARGV[5])
if ARGV[6] ~= '' then redis.call('SET', key('h', id), ARGV[6]) end
if deadline > 0 then
  redis.call('HSET', job_key(id), 'deadline', now + deadline)
  redis.call('ZADD', key('dl'), now + deadline, id)
end
if delay > 0 then
  redis.call('HSET', job_key(id), 'state', 'parked')
  redis.call('ZADD', key('park'), now + delay, id)
else
  to_waiting(id)
end
count('submitted')
return release({ 'new', id })
