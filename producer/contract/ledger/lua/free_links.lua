-- Which of several links may be called now.
local free_links = {}

-- What a refused link makes its job wait for.
local function obstacle(link, granted, tokens)
  local cool_ms, wakes_on = cooldowns.left_ms(link)
  if cool_ms > 0 then
    return { verdict = 'cooling', wait_ms = cool_ms, wakes_on = wakes_on }
  end
  if granted == link.name then
    return nil
  end
  local wait_ms = room.wait_ms(link, room.expected_tokens(link, tokens))
  if wait_ms > 0 then
    return { verdict = 'paced', wait_ms = wait_ms, wakes_on = 'pace:' .. link.name }
  end
end

-- Waiting for room is better than for a cooldown to end; else the shorter wait.
local function better(one, other)
  if not other or one.verdict ~= other.verdict then
    return not other or one.verdict == 'paced'
  end
  return one.wait_ms < other.wait_ms
end

local function limit_or_false(limit)
  return limit > 0 and limit
end

-- The number of the first link that is free, else nil and what to wait for.
function free_links.first(id, candidates)
  local granted = jobs.field(id, 'grant')
  local shortest
  for i, each in ipairs(candidates) do
    local own = {
      own_requests = limit_or_false(each.requests_per_minute),
      own_tokens = limit_or_false(each.tokens_per_minute),
      own_calls = limit_or_false(each.calls),
    }
    local link = pace.of(each.link, own)
    local found = obstacle(link, granted, each.tokens)
    if not found then
      return i
    end
    if better(found, shortest) then
      shortest = found
    end
    pace.save(link)
  end
  return nil, shortest
end

return free_links
