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

function overrides.field(kind, name, field)
  return read(keys.limits(kind, name))[field]
end

return overrides
