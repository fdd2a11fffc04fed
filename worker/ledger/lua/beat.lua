-- KEYS[1] root
-- ARGV    worker, its slots (0: it is leaving), heartbeat's life ms, outcome ttl ms, dead letters' ttl ms, batch's share,
--         open jobs per user at most (0: any), its clock (ms), usage's ttl ms
-- reply   {release target, live workers}
-- keeps   target of released + running = live slots + max(2, a quarter of them)
local worker, slots, life = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
if slots > 0 then
  redis.call('ZADD', key('wk'), now + life, worker)
  redis.call('HSET', key('slots'), worker, slots)
  redis.call('HSET', key('skew'), worker, tonumber(ARGV[8]) - now)
else
  redis.call('ZREM', key('wk'), worker)
  redis.call('HDEL', key('slots'), worker)
  redis.call('HDEL', key('skew'), worker)
end
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', key('wk'), '-inf', now)) do
  redis.call('ZREM', key('wk'), gone)
  redis.call('HDEL', key('slots'), gone)
  redis.call('HDEL', key('skew'), gone)
end
local total = 0
for _, n in ipairs(redis.call('HVALS', key('slots'))) do total = total + tonumber(n) end
local target = total + math.max(2, math.floor(total / 4))
redis.call('HSET', key('cfg'), 'target', target, 'ttl', ARGV[4], 'dead_ms', ARGV[5],
           'share', ARGV[6], 'cap', ARGV[7], 'usage_ms', ARGV[9])
return { target, redis.call('ZCARD', key('wk')) }
