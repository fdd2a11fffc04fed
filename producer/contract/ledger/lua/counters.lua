-- Counts of what happened: in ten seconds, in an hour, and since the beginning.
local counters = {}

local SLOT_MS = 10000
local SLOT_LIFE_MS = 4200000
local HOUR_MS = 3600000
local HOUR_LIFE_MS = 172800000
local DAY_HOURS = 24

-- The first of its name in a slot gives the slot its life, so that a slot has one from its first
-- moment and most counts cost three commands.
local function add_within(key, name, amount, life_ms)
  if redis.call('HINCRBY', key, name, amount) == amount then
    redis.call('PEXPIRE', key, life_ms)
  end
end

-- `name` as telemetry/metrics.py writes it: "n|<event>", "l|..." or "c|...".
function counters.add_sample(name, amount)
  add_within(keys.slot(math.floor(call.now / SLOT_MS)), name, amount, SLOT_LIFE_MS)
  add_within(keys.hour(math.floor(call.now / HOUR_MS)), name, amount, HOUR_LIFE_MS)
  redis.call('HINCRBY', keys.totals(), name, amount)
end

function counters.add(event, amount)
  counters.add_sample('n|' .. event, amount or 1)
end

-- Of these events, the sums of this UTC day.
function counters.today(...)
  local names = {}
  for i, event in ipairs({ ... }) do
    names[i] = 'n|' .. event
  end
  local sums = {}
  local hour = math.floor(call.now / HOUR_MS)
  for each = hour - hour % DAY_HOURS, hour do
    local counts = redis.call('HMGET', keys.hour(each), unpack(names))
    for i = 1, #names do
      sums[i] = (sums[i] or 0) + tonumber(counts[i] or 0)
    end
  end
  return unpack(sums)
end

return counters
