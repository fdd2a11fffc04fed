-- Outages: what keeps jobs from being called, in words.
local outages = {}

local function duration(ms)
  local seconds = math.floor(ms / 1000)
  local minutes = math.floor(seconds / 60)
  return string.format('%02d:%02d:%02d', math.floor(minutes / 60), minutes % 60, seconds % 60)
end

-- Of a link that is not closed: "p:m: HTTP 500 since 00:01:12, next try in 8 s", or with the fix,
-- "p:m: refused its key: HTTP 401; set P_API_KEY; since 00:01:12, next try in 8 s".
function outages.words(link)
  local circuit = circuits.read(link)
  local next_try = 'is being tried'
  if circuit.till > call.now then
    next_try = string.format('next try in %d s', math.ceil((circuit.till - call.now) / 1000))
  end
  local joint = circuit.why:find('; ', 1, true) and ';' or ''
  local since = duration(call.now - circuit.since)
  return string.format('%s: %s%s since %s, %s', link.name, circuit.why, joint, since, next_try)
end

-- The same of several links, as far as they are not closed.
function outages.of(names)
  local found = {}
  for _, name in ipairs(names) do
    local link = pace.of(name)
    if not circuits.is_closed(link) then
      found[#found + 1] = outages.words(link)
    end
  end
  return table.concat(found, '; ')
end

local function of_links_waited_for(id)
  local names = waiting.links_of(jobs.field(id, 'wakes_on') or '')
  if jobs.state(id) ~= 'parked' or not names then
    return ''
  end
  return outages.of(names)
end

-- What jobs that have not ended wait for, where that is trouble, as the first of them that meets
-- some says it: '' = nothing of the kind.
function outages.hinder(ids)
  if #ids > 0 and redis.call('ZCOUNT', keys.workers(), call.now, '+inf') == 0 then
    return 'no worker is alive'
  end
  for _, id in ipairs(ids) do
    local words = of_links_waited_for(id)
    if words ~= '' then
      return words
    end
  end
  return ''
end

-- The end of a job whose deadline has passed.
function outages.expired(id)
  local names = waiting.links_of(jobs.field(id, 'wakes_on') or '')
  return outcomes.expired(names and outages.of(names) or '')
end

local function limit_words(link)
  local told = {}
  for _, each in ipairs({ 'requests', 'tokens' }) do
    if link[each] then
      told[#told + 1] = string.format('%.0f %s', link[each], each)
    end
  end
  local left_s = math.ceil((link.expires - call.now) / 1000)
  local limits = table.concat(told, ' and ')
  return string.format('%s: a 429 told %s a minute, kept for %d s', link.name, limits, left_s)
end

-- Of links that are left alone, that jobs wait for, or that a 429 limits: {link, why, ms until it
-- is tried again, words, jobs that wait}.
function outages.all()
  local found = {}
  for _, name in ipairs(redis.call('ZRANGE', keys.cooling(), 0, -1)) do
    local link = pace.of(name)
    local waiting_jobs = redis.call('LLEN', keys.followers('link:' .. name))
    local circuit = circuits.read(link)
    local left_ms = math.max(0, (circuit.till or 0) - call.now)
    if circuit.till and left_ms + waiting_jobs > 0 then
      found[#found + 1] = { name, circuit.why, left_ms, outages.words(link), waiting_jobs }
    elseif link.expires then
      found[#found + 1] = { name, 'HTTP 429', 0, limit_words(link), 0 }
    end
  end
  return found
end

return outages
