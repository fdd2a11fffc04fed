-- Look into the cache, or follow an identical job that is in flight.
-- Keeps: at most one live leader per key; one that ended or lost its record is replaced.
local FLIGHT_MS = 86400000

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

-- The identical job that answers for this one, nil if this one is to.
local function leader_of(id, flight)
  local leader = redis.call('GET', flight)
  if leader and leader ~= id and jobs.state(leader) and not jobs.has_ended(leader) then
    return leader
  end
  redis.call('SET', flight, id, 'PX', FLIGHT_MS)
  return nil
end

return {
  takes = {
    { 'id', checks.id },
    { 'content', checks.name },   -- hash of what is asked
    { 'namespace', checks.any },
    { 'take', checks.flag },      -- whether an answer may be taken
    { 'join', checks.flag },      -- whether to wait for an identical job
  },
  gives = { 'verdict', 'entry_key', 'entry', 'leader', 'now_ms' },  -- hit, lead or follow
  run = function(given)
    local generation = generations(given.namespace)
    local key = keys.cached(generation, given.namespace, given.content)
    local entry = entry_at(key)
    local found = {
      verdict = 'lead', entry_key = key, entry = entry, leader = '', now_ms = call.now,
    }
    if given.take and is_fresh(entry) then
      found.verdict = 'hit'
      return found
    end
    if given.join then
      local flight = keys.flight(generation, given.namespace, given.content)
      local leader = leader_of(given.id, flight)
      if leader then
        found.verdict, found.leader = 'follow', leader
      end
    end
    return found
  end,
}
