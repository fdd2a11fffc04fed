-- What the fleet's workers agree on, and the virtual times of the lanes: one hash, of which a call
-- reads a field once.
local config = {}

local function known()
  local fields = call.memory.config
  if not fields then
    fields = {}
    call.memory.config = fields
  end
  return fields
end

-- Read at once those that will be asked for.
function config.load(names)
  local fields = known()
  if fields[names[1]] == nil then
    for i, value in ipairs(redis.call('HMGET', keys.config(), unpack(names))) do
      fields[names[i]] = value
    end
  end
end

-- '' = not set.
function config.text(name)
  local fields = known()
  if fields[name] == nil then
    fields[name] = redis.call('HGET', keys.config(), name)
  end
  return fields[name] or ''
end

function config.number(name, fallback)
  return tonumber(config.text(name)) or fallback or 0
end

-- Names and values in turn.
function config.set(...)
  local fields = known()
  local given = { ... }
  for i = 1, #given, 2 do
    fields[given[i]] = given[i + 1]
  end
  redis.call('HSET', keys.config(), ...)
end

return config
