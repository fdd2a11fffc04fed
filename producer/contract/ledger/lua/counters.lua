-- Counts of what happened. Each is written once, in its slot of ten seconds; the sweep adds a slot
-- that is over to its hour and to the totals since the beginning.
local counters = {}

local SLOT_MS = 10000
local SLOT_LIFE_MS = 4200000
local SLOTS_KEPT = 420
local HOUR_SLOTS = 360
local HOUR_LIFE_MS = 172800000
local DAY_HOURS = 24

local function this_slot()
  return math.floor(call.now / SLOT_MS)
end

local function add_within(key, name, amount, life_ms)
  if redis.call('HINCRBY', key, name, amount) == tonumber(amount) then
    redis.call('PEXPIRE', key, life_ms)
  end
end

-- `name` as telemetry/metrics.py writes it: "n|<event>", "l|..." or "c|...".
function counters.add_sample(name, amount)
  local slot = call.memory.slot
  if not slot then
    slot = keys.slot(this_slot())
    call.memory.slot = slot
  end
  add_within(slot, name, amount, SLOT_LIFE_MS)
end

-- Samples as functions take them: each is one.
function counters.add_samples(items)
  for _, each in ipairs(items) do
    counters.add_sample(each.sample, 1)
  end
end

function counters.add(event, amount)
  counters.add_sample('n|' .. event, amount or 1)
end

-- The first slot that no sweep has added up yet.
local function first_open_slot()
  local oldest = this_slot() - SLOTS_KEPT
  local next_slot = config.number('added_up') + 1
  if next_slot > this_slot() + 1 then
    next_slot = this_slot()  -- the server's clock was set back
  end
  return math.max(oldest, next_slot)
end

-- Add up the slots that are over.
function counters.add_up()
  local last = this_slot() - 1
  local first = first_open_slot()
  for slot = first, last do
    local counts = redis.call('HGETALL', keys.slot(slot))
    local hour = keys.hour(math.floor(slot / HOUR_SLOTS))
    for i = 1, #counts, 2 do
      add_within(hour, counts[i], counts[i + 1], HOUR_LIFE_MS)
      redis.call('HINCRBY', keys.totals(), counts[i], counts[i + 1])
    end
  end
  if first <= last then
    config.set('added_up', last)
  end
end

-- Of these events, the sums of this UTC day.
function counters.today(...)
  local names = {}
  for i, event in ipairs({ ... }) do
    names[i] = 'n|' .. event
  end
  local places = {}
  local hour = math.floor(this_slot() / HOUR_SLOTS)
  for each = hour - hour % DAY_HOURS, hour do
    places[#places + 1] = keys.hour(each)
  end
  for slot = first_open_slot(), this_slot() do
    places[#places + 1] = keys.slot(slot)
  end
  local sums = {}
  for _, place in ipairs(places) do
    local counts = redis.call('HMGET', place, unpack(names))
    for i = 1, #names do
      sums[i] = (sums[i] or 0) + tonumber(counts[i] or 0)
    end
  end
  return unpack(sums)
end

return counters
