-- Rings: the users whose lines are served in turn, by virtual time (start-time fair queueing):
-- serving a user moves their time on by 1/weight, the least time is next, and who returns after an
-- absence starts at the ring's time. Lines that wait for a provider link are in its own ring.
-- Invariant: a user is in one of a lane's rings exactly while a job of theirs is in that line and
-- neither they nor their group are at their cap.
local rings = {}

local function field(word, lane, link)
  return word .. ':' .. lane .. ':' .. link
end

-- The time of the ring: that of the user served last.
function rings.time(lane, link)
  return config.number(field('time', lane, link))
end

function rings.set_time(lane, link, time)
  config.set(field('time', lane, link), time)
end

-- Rings of one lane are served by virtual time as well.
function rings.turn(lane, link)
  return math.max(config.number('turn:' .. lane), config.number(field('turn', lane, link)))
end

function rings.set_turn(lane, link, turn, next_turn)
  config.set('turn:' .. lane, turn, field('turn', lane, link), next_turn)
end

-- Whether a line is in a ring, or waits for a link.
function rings.any_waits()
  local first, second = unpack(lanes.ALL)
  return redis.call('EXISTS', keys.ring(first, ''), keys.ring(second, ''), keys.gates()) > 0
end

function rings.is_empty(lane, link)
  return redis.call('EXISTS', keys.ring(lane, link)) == 0
end

-- Users who wait in a lane.
function rings.users(lane)
  local users = redis.call('ZCARD', keys.ring(lane, ''))
  for _, link in ipairs(lanes.gates()) do
    users = users + redis.call('ZCARD', keys.ring(lane, link))
  end
  return users
end

-- Enter the ring of the line, unless at the cap: then the end of one of the user's jobs does it.
-- Whether it was not in it.
function rings.join(lane, user)
  local link = lanes.gate_of(lane, user)
  local ring = keys.ring(lane, link)
  if redis.call('ZSCORE', ring, user) or caps.is_capped(user) then
    return
  end
  local own = tonumber(redis.call('ZSCORE', keys.gone(lane, link), user) or 0)
  redis.call('ZADD', ring, math.max(own, rings.time(lane, link)), user)
  if own > 0 then
    redis.call('ZREM', keys.gone(lane, link), user)
  end
  caps.leave_bench(user)
  if link ~= '' then
    lanes.add_gate(link)
  end
  return true
end

-- Leave the ring of the line; a virtual time ahead of the ring's is remembered. `time`: the user's,
-- where it is known.
function rings.leave(lane, user, time)
  local link = lanes.gate_of(lane, user)
  time = time or redis.call('ZSCORE', keys.ring(lane, link), user)
  if not time then
    return
  end
  redis.call('ZREM', keys.ring(lane, link), user)
  if tonumber(time) > rings.time(lane, link) then
    redis.call('ZADD', keys.gone(lane, link), time, user)
  end
end

-- A cap lets the user go on. Whether there was a line to join with.
function rings.join_all(user)
  local first, second = unpack(lanes.ALL)
  local lines = redis.call('EXISTS', keys.waiting(first, user), keys.waiting(second, user))
  for _, lane in ipairs(lines > 0 and lanes.ALL or {}) do
    local waits = lines == 2 or lanes.has_line(lane, user)
    if waits and rings.join(lane, user) then
      lanes.note_return(lane, user)
    end
  end
  return lines > 0
end

function rings.leave_all(user)
  for _, lane in ipairs(lanes.ALL) do
    rings.leave(lane, user)
  end
end

-- From now on the line waits for room at `link`; '' = for nothing but its turn.
function rings.gate(lane, user, link)
  if lanes.gate_of(lane, user) == link then
    return
  end
  rings.leave(lane, user)
  lanes.set_gate(lane, user, link)
  if lanes.has_line(lane, user) then
    rings.join(lane, user)
  end
end

-- Absences that no longer matter, and gates that no line waits at.
function rings.trim()
  local gates = lanes.gates()
  for _, link in ipairs({ '', unpack(gates) }) do
    for _, lane in ipairs(lanes.ALL) do
      local time = rings.time(lane, link)
      redis.call('ZREMRANGEBYSCORE', keys.gone(lane, link), '-inf', time)
    end
  end
  for _, link in ipairs(gates) do
    local first, second = unpack(lanes.ALL)
    if rings.is_empty(first, link) and rings.is_empty(second, link) then
      lanes.remove_gate(link)
    end
  end
end

return rings
