-- The record of one job: a hash of short fields. A call reads a field once and writes what changed
-- at its end, all fields together.
local jobs = {}

jobs.FINAL = { done = true, failed = true, cancelled = true, expired = true, dead = true }

-- Of a job that the call knows: `values` (false = no such field), names of `changed` and `removed`
-- ones, and whether it is `new`, so that nothing of it needs to be read.
local function record(id)
  local known = call.jobs[id]
  if not known then
    known = { values = {}, changed = {}, removed = {} }
    call.jobs[id] = known
  end
  return known
end

-- There is no such job yet.
function jobs.create(id)
  record(id).new = true
end

-- The record of a job that is gone, as far as it is known; nothing of it is written.
function jobs.assume(id, values)
  call.jobs[id] = { values = values, changed = {}, removed = {}, new = true }
end

function jobs.discard(id)
  call.jobs[id] = nil
end

-- Read fields together that are needed one after the other. Fields known before stay.
function jobs.load(id, names)
  local values = record(id).values
  for i, value in ipairs(redis.call('HMGET', keys.job(id), unpack(names))) do
    if values[names[i]] == nil then
      values[names[i]] = value
    end
  end
end

-- nil = the record has no such field, or there is no such job.
function jobs.field(id, name)
  local known = call.jobs[id] or record(id)  -- the hottest line: a call less
  local value = known.values[name]
  if value == nil and not known.new then
    value = redis.call('HGET', keys.job(id), name)
    known.values[name] = value
  end
  return value or nil
end

function jobs.number(id, name)
  return tonumber(jobs.field(id, name) or 0)
end

function jobs.state(id)
  return jobs.field(id, 'state')
end

function jobs.has_ended(id)
  return jobs.FINAL[jobs.state(id)] or false
end

-- Running, and by this start of it.
function jobs.is_held(id, fence)
  return jobs.state(id) == 'running' and jobs.number(id, 'fence') == fence
end

-- Names and values in turn.
function jobs.set(id, ...)
  local known = record(id)
  local given = { ... }
  for i = 1, #given, 2 do
    known.values[given[i]] = given[i + 1]
    known.changed[given[i]] = true
    known.removed[given[i]] = nil
  end
end

-- Whether it was set: false if the field was there before.
function jobs.set_once(id, name, value)
  if jobs.field(id, name) then
    return false
  end
  jobs.set(id, name, value)
  return true
end

-- The sum after it.
function jobs.add(id, name, amount)
  local sum = jobs.number(id, name) + amount
  jobs.set(id, name, sum)
  return sum
end

function jobs.remove(id, ...)
  local known = record(id)
  for _, name in ipairs({ ... }) do
    if known.values[name] ~= false and not known.new then
      known.removed[name] = true
    end
    known.values[name] = false
    known.changed[name] = nil
  end
end

-- Write what changed.
function jobs.flush(id)
  local known = record(id)
  if next(known.changed) then
    local changed = {}
    for name in pairs(known.changed) do
      changed[#changed + 1] = name
      changed[#changed + 1] = known.values[name]
    end
    redis.call('HSET', keys.job(id), unpack(changed))
    known.changed = {}
  end
  if next(known.removed) then
    local removed = {}
    for name in pairs(known.removed) do
      removed[#removed + 1] = name
    end
    redis.call('HDEL', keys.job(id), unpack(removed))
    known.removed = {}
  end
end

function jobs.flush_all()
  for id in pairs(call.jobs) do
    jobs.flush(id)
  end
end

function jobs.delete(id)
  redis.call('DEL', keys.job(id), keys.continuation(id), keys.outcome(id))
  call.jobs[id] = nil
end

-- The batch that pays: an item's own, or that of the item it is a part of.
function jobs.paying_batch(id)
  return jobs.field(id, 'batch') or jobs.field(id, 'of')
end

return jobs
