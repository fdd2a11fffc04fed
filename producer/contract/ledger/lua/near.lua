-- Near misses: the questions of a scope whose answers are cached, and the evidence of how often one
-- of them has the right answer for another. Bounded: entries and counts of a scope, and scopes.
local near = {}

local DAY_MS = 86400000
local LIFE_MS = 90 * DAY_MS  -- of evidence that nobody adds to
local MOST_SCOPES = 1000     -- in the report; the least used leave it
local MOST_NOTED = 20000     -- observations; then all counts are halved, so that old ones fade
local MOST_VERDICTS = 200    -- of an entry; then all are forgotten
local SERVED_MS = 7 * DAY_MS  -- for how long a job can be reported as wrong
local SERVED = { 'scope', 'entry', 'pair', 'bin' }

-- The scope is in use: it lives on, and is in the report.
function near.touch(scope)
  redis.call('ZADD', keys.near_scopes(), call.now, scope)
  redis.call('ZREMRANGEBYRANK', keys.near_scopes(), 0, -MOST_SCOPES - 1)
end

function near.forget(scope, entry)
  redis.call('HDEL', keys.near_entries(scope), entry)
  redis.call('ZREM', keys.near_order(scope), entry)
  redis.call('DEL', keys.near_own(scope, entry))
end

-- Add one to each of the scope's counts that are named.
function near.count(scope, names)
  local key = keys.near_counts(scope)
  for _, name in ipairs(names) do
    redis.call('HINCRBY', key, name, 1)
  end
  redis.call('PEXPIRE', key, LIFE_MS)
end

-- A scope's counts of what was observed: "50:yes:right 7 served:right 3".
function near.evidence(scope)
  local flat, found = redis.call('HGETALL', keys.near_counts(scope)), {}
  for i = 1, #flat, 2 do
    if flat[i]:find(':', 1, true) then
      found[#found + 1], found[#found + 2] = flat[i], flat[i + 1]
    end
  end
  return table.concat(found, ' ')
end

local TOLD = {
  hits = 'near:hits', would = 'near:would', ['served:right'] = 'near:right',
  ['served:wrong'] = 'near:wrong',
}

-- Of the names that were counted, those that the fleet's metrics have, too.
function near.tell(names)
  for _, name in ipairs(names) do
    if TOLD[name] then
      counters.add(TOLD[name])
    end
  end
end

-- An observation was added.
function near.fade(scope)
  local key = keys.near_counts(scope)
  if redis.call('HINCRBY', key, 'noted', 1) < MOST_NOTED then
    return
  end
  local flat = redis.call('HGETALL', key)
  for i = 1, #flat, 2 do
    local count = tonumber(flat[i + 1])
    if count and flat[i]:find(':', 1, true) or flat[i] == 'noted' then
      redis.call('HSET', key, flat[i], math.floor(count / 2))
    end
  end
end

-- What is known of one entry: `right`, `wrong` or a verdict about a pair.
function near.add_own(scope, entry, name)
  local key = keys.near_own(scope, entry)
  redis.call('HINCRBY', key, name, 1)
  redis.call('PEXPIRE', key, LIFE_MS)
end

function near.set_verdict(scope, entry, pair, verdict)
  local key = keys.near_own(scope, entry)
  if redis.call('HLEN', key) > MOST_VERDICTS then
    local own = redis.call('HMGET', key, 'right', 'wrong')
    redis.call('DEL', key)
    redis.call('HSET', key, 'right', own[1] or 0, 'wrong', own[2] or 0)
  end
  redis.call('HSET', key, pair, verdict)
  redis.call('PEXPIRE', key, LIFE_MS)
end

-- What was served, of its JSON; nil if it lacks something.
function near.readable(text)
  local readable, told = pcall(cjson.decode, text)
  if not readable or type(told) ~= 'table' then
    return nil
  end
  for _, name in ipairs(SERVED) do
    if type(told[name]) ~= 'string' or told[name] == '' then
      return nil
    end
  end
  return told
end

-- A job ended with the answer of a near question, which had cost `micro`: counted in the same step,
-- so that report and books say the same, and kept, so that it can be reported as wrong.
function near.served(id, text, micro)
  local told = near.readable(text)
  near.touch(told.scope)
  near.count(told.scope, { 'hits' })
  near.tell({ 'hits' })
  redis.call('HINCRBY', keys.near_counts(told.scope), 'saved_micro', micro)
  local flat = {}
  for i, name in ipairs(SERVED) do
    flat[2 * i - 1], flat[2 * i] = name, told[name]
  end
  redis.call('HSET', keys.near_served(id), unpack(flat))
  redis.call('PEXPIRE', keys.near_served(id), SERVED_MS)
end

-- What the judge has cost today, after `micro` more.
function near.judge_micro(micro)
  local key = keys.near_judge(math.floor(call.now / DAY_MS))
  if micro == 0 then
    return tonumber(redis.call('GET', key) or 0)
  end
  local sum = redis.call('INCRBY', key, micro)
  redis.call('PEXPIRE', key, 2 * DAY_MS)
  return sum
end

return near
