-- Libraries: which versions of these functions the fleet's workers and producers still call.
local libraries = {}

local PRODUCER_MS = 86400000  -- a producer that has not submitted for a day may load it again
local NOTED_MS = 60000

local noted_at = {}  -- by name; it outlives the call, so that not every one writes

local function needed_until(name, until_ms)
  redis.call('ZADD', keys.libraries(), 'GT', until_ms, name)
end

function libraries.note_use(name)
  if math.abs(call.now - (noted_at[name] or 0)) > NOTED_MS then
    noted_at[name] = call.now
    needed_until(name, call.now + PRODUCER_MS)
  end
end

function libraries.note_worker(name, life_ms)
  needed_until(name, call.now + life_ms)
end

-- Names of those that are needed no more; they are forgotten here, for the caller to delete.
function libraries.take_unneeded()
  local old = redis.call('ZRANGEBYSCORE', keys.libraries(), '-inf', call.now)
  redis.call('ZREMRANGEBYSCORE', keys.libraries(), '-inf', call.now)
  return old
end

return libraries
