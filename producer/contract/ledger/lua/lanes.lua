-- Lanes: interactive before batch. In each, a user's waiting jobs are one line, and a line may
-- wait for room at one provider link: then it is gated.
local lanes = {}

lanes.ALL = { 'interactive', 'batch' }

local function name(lane, user)
  return lane .. ':' .. user
end

function lanes.has_line(lane, user)
  return redis.call('EXISTS', keys.waiting(lane, user)) == 1
end

-- The link that a line waits for, '' = none.
function lanes.gate_of(lane, user)
  local known = 'gate:' .. name(lane, user)
  if not call.memory[known] then
    call.memory[known] = redis.call('HGET', keys.gated(), name(lane, user)) or ''
  end
  return call.memory[known]
end

function lanes.set_gate(lane, user, link)
  call.memory['gate:' .. name(lane, user)] = link
  if link == '' then
    redis.call('HDEL', keys.gated(), name(lane, user))
  else
    redis.call('HSET', keys.gated(), name(lane, user), link)
  end
end

-- Links that lines wait for.
function lanes.gates()
  local found = call.memory.gates
  if not found then
    found = redis.call('SMEMBERS', keys.gates())
    call.memory.gates = found
  end
  return found
end

function lanes.add_gate(link)
  redis.call('SADD', keys.gates(), link)
  call.memory.gates = nil
end

function lanes.remove_gate(link)
  redis.call('SREM', keys.gates(), link)
  call.memory.gates = nil
end

-- The number that a job gets when it joins its line.
function lanes.next_number(lane, user)
  return redis.call('HINCRBY', keys.numbers(), name(lane, user), 1)
end

-- The line may be served again: a cap of its user or group has kept it back until now.
function lanes.note_return(lane, user)
  redis.call('HSET', keys.numbers(), 'back:' .. name(lane, user), call.now)
end

-- When a cap last let the job's line go on; 0 = it has kept none of those in it back.
function lanes.returned_at(id)
  local line = name(jobs.field(id, 'lane'), jobs.field(id, 'user'))
  return tonumber(redis.call('HGET', keys.numbers(), 'back:' .. line) or 0)
end

-- How many of the user's own jobs are before this waiting one: what is in line, less what came
-- after it. One that was put first has no number.
function lanes.ahead(id)
  local lane, user = jobs.field(id, 'lane'), jobs.field(id, 'user')
  local number = jobs.number(id, 'no')
  if number == 0 then
    return 0
  end
  local latest = redis.call('HGET', keys.numbers(), name(lane, user))
  local after = tonumber(latest or number) - number
  local length = redis.call('LLEN', keys.waiting(lane, user))
  return math.max(0, length - 1 - after)
end

function lanes.forget_line(lane, user)
  redis.call('HDEL', keys.numbers(), name(lane, user), 'back:' .. name(lane, user))
  if lanes.gate_of(lane, user) ~= '' then
    lanes.set_gate(lane, user, '')
  end
end

return lanes
