-- Cached answers, and which of several identical jobs is called: the leader of their flight. Its
-- followers wait for its answer. Keeps: at most one leader per question, and it is being called or
-- waits for its provider only. A leader has its flight in its record.
local cached = {}

local FLIGHT_MS = 86400000
local WOKEN_BY_END = 1000

-- More is not noted in one entry: who asks with another tag is answered anew.
local MOST_TAGS = 64

-- How a question is passed: `content` is the hash of what is asked ('' = nothing is looked up),
-- `take` whether an answer may be taken, `join` whether to wait for an identical job, `tags` the
-- asker's, with a comma between them.
cached.QUESTION = {
  { 'content', checks.any },
  { 'namespace', checks.any },
  { 'take', checks.flag },
  { 'join', checks.flag },
  { 'tags', checks.any },
}

local function generations(namespace)
  local found = redis.call('HMGET', keys.cache_generations(), 'all', 'ns:' .. namespace)
  return (found[1] or '0') .. '.' .. (found[2] or '0')
end

-- The entry, '' if there is none or a tag of it or of the asker was busted after it was made.
local function entry_at(key, tags)
  local entry = redis.call('GET', key) or ''
  local made, noted = entry:match('^%d+;(%d+);([^;]*);')
  for tag in (made and noted .. ',' .. tags or ''):gmatch('[^,]+') do
    local busted = redis.call('HGET', keys.cache_generations(), 'tag:' .. tag)
    if tonumber(busted or -1) >= tonumber(made) then
      return ''
    end
  end
  return entry
end

-- Note in an entry for whom it is an answer from now on. False if it has no room for that.
local function serves(key, entry, tags)
  local head, noted, rest = entry:match('^(%d+;%d+;)([^;]*)(;.*)$')
  local all, known = {}, {}
  for tag in (noted .. ',' .. tags):gmatch('[^,]+') do
    if not known[tag] then
      known[tag] = true
      all[#all + 1] = tag
    end
  end
  local joined = table.concat(all, ',')
  if joined ~= noted and #all <= MOST_TAGS then
    redis.call('SET', key, head .. joined .. rest, 'KEEPTTL')
  end
  return #all <= MOST_TAGS
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
  local entry = entry_at(key, asked.tags)
  local flight = asked.join and keys.flight(generation, asked.namespace, asked.content) or ''
  local hit = asked.take and is_fresh(entry)
  if hit and asked.tags ~= '' then
    hit = serves(key, entry, asked.tags)
  end
  return { key = key, entry = entry, hit = hit, flight = flight }
end

-- Back in line or waiting for something of its own, a job leads nobody.
local function leads(id, flight)
  local state = jobs.state(id)
  return (state == 'running' or state == 'parked') and jobs.field(id, 'flight') == flight
end

-- The job that leads a flight; nil if there is none.
function cached.leader_of(flight)
  local id = redis.call('GET', flight)
  return id and leads(id, flight) and id or nil
end

-- Whether an identical job answers for this one.
function cached.follows(id, found)
  local leader = found.flight ~= '' and cached.leader_of(found.flight)
  return leader and leader ~= id
end

function cached.lead(id, found)
  if found.flight ~= '' and jobs.field(id, 'flight') ~= found.flight then
    redis.call('SET', found.flight, id, 'PX', FLIGHT_MS)
    jobs.set(id, 'flight', found.flight)
  end
end

-- What the followers of a job that leads no longer wait for; nil if it led nobody.
local function give_up_lead(id)
  local flight = jobs.field(id, 'flight')
  if flight then
    jobs.remove(id, 'flight')
    return 'flight:' .. flight
  end
end

-- The job holds none of its followers up: the next of them is called.
function cached.stop_leading(id)
  local followed = give_up_lead(id)
  if followed then
    waiting.wake_next(followed)
  end
end

-- The job has ended: its followers find its answer, or none of them is held up.
function cached.ended(id)
  local followed = give_up_lead(id)
  if followed then
    waiting.wake(followed, WOKEN_BY_END)
  end
end

return cached
