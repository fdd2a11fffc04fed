-- KEYS[1] root
-- ARGV    id, user, lane, fingerprint, request JSON, continuation JSON or '', deadline ms from now or 0, delay ms
-- reply   {'new' | 'same' | 'conflict', publication orders...}
-- keeps   record, request, line and release are one step; repeating it with the same id changes nothing
local id, user, lane, fingerprint = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local deadline, delay = tonumber(ARGV[7]), tonumber(ARGV[8])
local known = field(id, 'fp')
if known then return { known == fingerprint and 'same' or 'conflict' } end

redis.call('HSET', job_key(id), 'user', user, 'lane', lane, 'fp', fingerprint, 'at', now, 'fence', 0)
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
return release({ 'new' })
