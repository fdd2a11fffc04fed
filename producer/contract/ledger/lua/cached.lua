-- Cached answers, and which of several identical jobs is called: the leader of their flight. Its
-- followers wait for its answer. Keeps: at most one live leader per question.
local cached = {}

local FLIGHT_MS = 86400000
local WOKEN = 1000  -- followers told that their leader is none any more

-- How a question is passed: `content` is the hash of what is asked ('' = nothing is looked up),
-- `take` whether an answer may be taken, `join` whether to wait for an identical job.
cached.QUESTION = {
  { 'content', checks.any },
  { 'namespace', checks.any },
  { 'take', checks.flag },
  { 'join', checks.flag },
}

local function generations(namespace)
  local found = redis.call('HMGET', keys.cache_generations(), 'all', 'ns:' .. namespace)
  return (found[1] or '0') .. '.' .. (found[2] or '0')
end

-- The entry, '' if there is none or one of its tags was busted after it was made.
local function entry_at(key)
  local entry = redis.call('GET', key) or ''
  local made, tags = entry:match('^%d+;(%d+);([^;]*);')
  for tag in (tags or ''):gmatch('[^,]+') do
    local busted = redis.call('HGET', keys.cache_generations(), 'tag:' .. tag)
    if tonumber(busted or -1) >= tonumber(made) then
      return ''
    end
  end
  return entry
end

local function is_fresh(entry)
  return tonumber(entry:match('^(%d+);') or 0) > call.now
end

-- Where the answer is or will be, what is there, whether it may be taken, and the flight ('' =
-- neither to be joined nor led).
function cached.find(asked)
  if asked.content == '' then
    return { key = '', entry = '', flight = '' }
  end
  local generation = generations(asked.namespace)
  local key = keys.cached(generation, asked.namespace, asked.content)
  local entry = entry_at(key)
  local flight = asked.join and keys.flight(generation, asked.namespace, asked.content) or ''
  return { key = key, entry = entry, hit = asked.take and is_fresh(entry), flight = flight }
end

-- The identical job that is to answer for this one; nil if there is none.
function cached.leader(id, found)
  if found.flight == '' then
    return nil
  end
  found.led_by = redis.call('GET', found.flight)
  local leader = found.led_by
  if leader and leader ~= id and jobs.state(leader) and not jobs.has_ended(leader) then
    return leader
  end
end

function cached.lead(id, found)
  if found.flight ~= '' and found.led_by ~= id then
    redis.call('SET', found.flight, id, 'PX', FLIGHT_MS)
  end
end

-- A leader that waits for something of its own holds nobody up.
function cached.stop_leading(id, found)
  if found.flight ~= '' and found.led_by == id then
    redis.call('DEL', found.flight)
    waiting.wake('job:' .. id, WOKEN)
  end
end

return cached
