-- Cooldowns: a failing provider link is left alone by the whole fleet for a time. After it one
-- call, the probe, goes first.
local cooldowns = {}

-- Milliseconds for which a link is left alone, and what its end wakes: it cools down, or its probe
-- is on the wire.
function cooldowns.left_ms(link)
  local ttl = redis.call('PTTL', keys.cooldown(link.name))
  if ttl > 0 then
    return ttl, ''
  end
  if link.half and link.probe then
    return 5 * pace.LOOK_MS, 'link:' .. link.name
  end
  return 0, ''
end

function cooldowns.start(link, fault, cool_ms)
  redis.call('SET', keys.cooldown(link.name), fault, 'PX', cool_ms)
  redis.call('ZADD', keys.cooling(), call.now + cool_ms, link.name)
  redis.call('ZREMRANGEBYSCORE', keys.cooling(), '-inf', call.now)
  link.half = 1
end

-- [link, fault, ms left] of each that lasts.
function cooldowns.all()
  local found = {}
  for _, name in ipairs(redis.call('ZRANGEBYSCORE', keys.cooling(), call.now, '+inf')) do
    local left = redis.call('PTTL', keys.cooldown(name))
    if left > 0 then
      local fault = redis.call('GET', keys.cooldown(name)) or ''
      found[#found + 1] = { name, fault, left }
    end
  end
  return found
end

return cooldowns
