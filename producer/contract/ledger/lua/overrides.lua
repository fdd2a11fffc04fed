-- Limits of one user, group, batch or the fleet that are not the settings', read once per call.
local overrides = {}

local function of_kind(kind)
  local known = call.limits[kind]
  if not known then
    known = {}
    call.limits[kind] = known
  end
  return known
end

local function read(kind, name)
  local known = of_kind(kind)[name]
  if known then
    return known
  end
  known = {}
  local flat = redis.call('HGETALL', keys.limits(kind, name))
  for i = 1, #flat, 2 do
    known[flat[i]] = flat[i + 1]
  end
  call.limits[kind][name] = known
  return known
end

-- Names and values in turn.
function overrides.set(kind, name, ...)
  redis.call('HSET', keys.limits(kind, name), ...)
  redis.call('SADD', keys.limited(), kind .. ':' .. name)
  of_kind(kind)[name] = nil
end

function overrides.reset(kind, name)
  redis.call('DEL', keys.limits(kind, name))
  redis.call('SREM', keys.limited(), kind .. ':' .. name)
  of_kind(kind)[name] = nil
end

function overrides.field(kind, name, field)
  return read(kind, name)[field]
end

return overrides
