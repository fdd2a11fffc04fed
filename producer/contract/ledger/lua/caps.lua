-- Caps: how many jobs of a user or group may be released or running at once. A user who waits for
-- the group's cap is on the group's bench.
local caps = {}

local MOST_LOOKED_AT = 64  -- users called from a bench at once

local function is_reached(cap, counts, name)
  cap = tonumber(cap or 0)
  return cap > 0 and tonumber(redis.call('HGET', counts, name) or 0) >= cap
end

function caps.group_of(user)
  return overrides.field('user', user, 'group')
end

function caps.weight_of(user)
  return tonumber(overrides.field('user', user, 'weight') or 1)
end

function caps.group_is_full(group)
  local cap = overrides.field('group', group, 'in_flight')
  return is_reached(cap, keys.group_in_flight(), group)
end

-- The user's group if it is at its cap.
function caps.full_group_of(user)
  local group = caps.group_of(user)
  return group and caps.group_is_full(group) and group
end

function caps.sit_on_bench(group, user)
  local number = redis.call('HINCRBY', keys.sequence(), 'benched', 1)
  redis.call('ZADD', keys.bench(group), 'NX', number, user)
  redis.call('SADD', keys.benches(), group)
end

function caps.leave_bench(user)
  local group = caps.group_of(user)
  if group then
    redis.call('ZREM', keys.bench(group), user)
  end
end

-- Whether a user may have no more in flight. If it is for the group's cap, the user goes on its
-- bench: the end of any job of the group brings them back.
function caps.is_capped(user)
  local cap = overrides.field('user', user, 'in_flight') or config.number('cap')
  if is_reached(cap, keys.in_flight(), user) then
    return true
  end
  local group = caps.full_group_of(user)
  if not group then
    return false
  end
  caps.sit_on_bench(group, user)
  return true
end

function caps.one_more(id)
  redis.call('HINCRBY', keys.in_flight(), jobs.field(id, 'user'), 1)
  local group = jobs.field(id, 'group')
  if group then
    redis.call('HINCRBY', keys.group_in_flight(), group, 1)
  end
end

function caps.one_less(counts, name)
  if redis.call('HINCRBY', counts, name, -1) <= 0 then
    redis.call('HDEL', counts, name)
  end
end

-- How many more a group may have in flight.
function caps.group_room(group)
  local cap = tonumber(overrides.field('group', group, 'in_flight') or 0)
  if cap <= 0 then
    return MOST_LOOKED_AT
  end
  return cap - tonumber(redis.call('HGET', keys.group_in_flight(), group) or 0)
end

-- The group may have one more in flight: `rejoin(user)` is asked, in the order in which they began
-- to wait, until it says that one had something to do.
function caps.call_from_bench(group, rejoin)
  for _ = 1, MOST_LOOKED_AT do
    local user = redis.call('ZPOPMIN', keys.bench(group))[1]
    if not user then
      redis.call('SREM', keys.benches(), group)
      return
    end
    if rejoin(user) then
      return
    end
  end
end

return caps
