-- Capacity: how many jobs may be released or running, in all and by lane: the slots of live workers
-- and a few more. What lies in a queue that nobody reads takes no room of the others.
local capacity = {}

local LEAST_SPARE = 2

-- What releasing jobs asks of the fleet.
local ASKED = {
  'target', 'target:interactive', 'target:batch', 'cap', 'time:interactive:', 'time:batch:',
}

local SERVES = {
  both = lanes.ALL, interactive = { 'interactive' }, batch = { 'batch' }, none = {},
}

local function target_of(slots)
  return slots + math.max(LEAST_SPARE, math.floor(slots / 4))
end

-- Slots of workers that serve some lane, and of those of each lane.
local function count_slots()
  local all, each = 0, {}
  local flat = redis.call('HGETALL', keys.slots())
  for i = 1, #flat, 2 do
    local serves = SERVES[redis.call('HGET', keys.worker_lanes(), flat[i]) or 'both']
    all = all + (serves[1] and flat[i + 1] or 0)
    for _, lane in ipairs(serves) do
      each[lane] = (each[lane] or 0) + flat[i + 1]
    end
  end
  return all, each
end

-- After each change of who lives. While nobody does, the next one may serve any lane.
function capacity.set()
  local all, each = count_slots()
  config.set('target', target_of(all))
  for _, lane in ipairs(lanes.ALL) do
    local served = each[lane] or all == 0
    config.set('target:' .. lane, served and target_of(each[lane] or 0) or 0)
  end
end

local function target(lane)
  return config.number('target:' .. lane, config.number('target', LEAST_SPARE))
end

-- Whether a worker takes jobs of the lane, as far as is known.
function capacity.is_served(lane)
  return target(lane) > 0
end

-- How many more jobs may be released: in all, and by lane.
function capacity.room()
  config.load(ASKED)
  local left, room = config.number('target', LEAST_SPARE), {}
  for lane, open in pairs(open_jobs.by_lane()) do
    local most = target(lane)
    room[lane] = most - open
    left = left - math.min(most, open)
  end
  return left, room
end

return capacity
