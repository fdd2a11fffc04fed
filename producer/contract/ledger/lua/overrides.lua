-- Limits of one user, group, batch or the fleet that are not the settings', read once per call.
local overrides = {}

local function read(key)
  local known = call.memory[key]
  if known then
    return known
  end
  known = {}
  local flat = redis.call('HGETALL', key)
  for i = 1, #flat, 2 do
    known[flat[i]] = flat[i + 1]
  end
  call.memory[key] = known
  return known
end

-- Names and values in turn.
function overrides.set(kind, name, ...)
  redis.call('HSET', keys.limits(kind, name), ...)
  redis.call('SADD', keys.limited(), kind .. ':' .. name)
  call.memory[keys.limits(kind, name)] = nil
end

function overrides.reset(kind, name)
  redis.call('DEL', keys.limits(kind, name))
  redis.call('SREM', keys.limited(), kind .. ':' .. name)
  call.memory[keys.limits(kind, name)] = nil
end

function overrides.field(kind, name, field)
  return read(keys.limits(kind, name))[field]
end

return overrides
