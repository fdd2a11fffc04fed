-- What the fleet's workers agree on, and the virtual times of the lanes: one hash, read once per
-- call.
local config = {}

local function all()
  local fields = call.memory.config
  if fields then
    return fields
  end
  fields = {}
  local flat = redis.call('HGETALL', keys.config())
  for i = 1, #flat, 2 do
    fields[flat[i]] = flat[i + 1]
  end
  call.memory.config = fields
  return fields
end

function config.text(name)
  return all()[name] or ''
end

function config.number(name, fallback)
  return tonumber(all()[name] or fallback or 0)
end

-- Names and values in turn.
function config.set(...)
  local given = { ... }
  for i = 1, #given, 2 do
    all()[given[i]] = tostring(given[i + 1])
  end
  redis.call('HSET', keys.config(), ...)
end

return config
