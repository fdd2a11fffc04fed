-- Which of several links may be called now.
local free_links = {}

local RANKS = { paced = 1, cooling = 2, open = 3, late = 4 }

-- What keeps the job from calling the link.
local function obstacle(link, id, granted, tokens)
  local found = circuits.obstacle(link, id, tokens)
  if found then
    return found
  end
  if granted == link.name then
    return nil
  end
  local wait_ms = room.wait_ms(link, room.expected_tokens(link, tokens))
  if wait_ms > 0 then
    return { verdict = 'paced', wait_ms = wait_ms, wakes_on = 'pace:' .. link.name }
  end
end

-- Waiting for room is better than for trouble to pass; else the shorter wait.
local function better(one, other)
  if not other or one.verdict == other.verdict then
    return not other or one.wait_ms < other.wait_ms
  end
  return RANKS[one.verdict] < RANKS[other.verdict]
end

local function limit_or_false(limit)
  return limit > 0 and limit
end

-- A call that cannot end in time is not begun: it would only be paid for and thrown away.
local function is_late(link, time)
  return time.left_ms < math.max(time.least_ms, link.median or 0)
end

local function own_limits(each)
  return {
    own_requests = limit_or_false(each.requests_per_minute),
    own_tokens = limit_or_false(each.tokens_per_minute),
    own_calls = limit_or_false(each.calls),
  }
end

-- What the links that are in trouble are called, and what is wrong with them.
local function add_trouble(found, candidates)
  local names = {}
  for _, each in ipairs(candidates) do
    if not circuits.is_closed(pace.of(each.link)) then
      names[#names + 1] = each.link
    end
  end
  found.wakes_on = 'links:' .. table.concat(names, ';')
  found.trouble = outages.of(names)
end

-- The number of the first link that is free, else nil and what to wait for. `time`: `left_ms` to
-- the job's end, and the `least_ms` that a call needs.
function free_links.first(id, candidates, time)
  local granted = jobs.field(id, 'grant')
  local shortest
  for i, each in ipairs(candidates) do
    local link = pace.of(each.link, own_limits(each))
    local found = { verdict = 'late', wait_ms = 0 }
    if not is_late(link, time) then
      found = obstacle(link, id, granted, each.tokens)
    end
    if not found then
      return i
    end
    if better(found, shortest) then
      shortest = found
    end
    pace.save(link)
  end
  if shortest.verdict == 'open' or shortest.verdict == 'cooling' then
    add_trouble(shortest, candidates)
  end
  return nil, shortest
end

return free_links
