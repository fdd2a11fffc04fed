-- The line for amounts that others hold: whoever waits for what calls of others hold on a budget is
-- served in order. The first keeps its place until it is called or waits for something else, so a
-- large hold is not overtaken by small ones for ever; interactive jobs pass those of batches.
local held_lines = {}

local UNHEARD_MS = 60000  -- the first of a line that has not tried for so long has lost its place
local LOOKED_AT = 50      -- of those that follow it: some have been called or have ended since

local function entry(budget)
  return redis.call('HGET', keys.held_lines(), budget.key)
end

-- Of a budget's first, by its entry: its id, and how much others may hold when it fits.
local function first(budget, text)
  local tried_ms, most_held, id = (text or ''):match('^(%d+):(%-?%d+):(.+)$')
  if not id or call.now - tonumber(tried_ms) > UNHEARD_MS or jobs.has_ended(id) then
    return nil
  end
  if jobs.field(id, 'wakes_on') ~= limits.followed_while_held(budget) then
    return nil
  end
  return id, tonumber(most_held)
end

local function passes(id, other)
  return jobs.field(id, 'lane') == 'interactive' and jobs.field(other, 'lane') == 'batch'
end

-- The number of the first budget of a list in whose line another job is before this one.
function held_lines.behind(id, list)
  if #list == 0 or redis.call('EXISTS', keys.held_lines()) == 0 then
    return nil
  end
  local names = {}
  for i, budget in ipairs(list) do
    names[i] = budget.key
  end
  for i, text in ipairs(redis.call('HMGET', keys.held_lines(), unpack(names))) do
    local other = first(list[i], text)
    if other and other ~= id and not passes(id, other) then
      return i
    end
  end
  return nil
end

-- The job waits for what is held on a budget: it is the first in line, or behind another.
function held_lines.join(id, budget, most_held)
  local other = first(budget, entry(budget))
  if not other or other == id or passes(id, other) then
    local text = string.format('%.0f:%.0f:%s', call.now, most_held, id)
    redis.call('HSET', keys.held_lines(), budget.key, text)
  end
end

-- One at a time, or the order in which they come would be another: who is called wakes the next.
local function wake_next(what)
  waiting.wake(what, LOOKED_AT, function()
    return true
  end)
end

-- The job is called: the next ones may be.
function held_lines.leave(id, list)
  local was_on = jobs.field(id, 'wakes_on')
  for _, budget in ipairs(was_on and list or {}) do
    if was_on == limits.followed_while_held(budget) then
      local other = first(budget, entry(budget))
      if not other or other == id then
        redis.call('HDEL', keys.held_lines(), budget.key)
        wake_next(was_on)
      end
    end
  end
end

-- A hold was released: the first in line is tried again once it may fit.
function held_lines.released(budget)
  local text = entry(budget)
  local id, most_held = first(budget, text)
  if not id then
    if text then
      redis.call('HDEL', keys.held_lines(), budget.key)
    end
    wake_next(limits.followed_while_held(budget))
    return
  end
  local held = tonumber(redis.call('HGET', budget.key, 'h') or 0)
  if held <= most_held and redis.call('ZREM', keys.parked(), id) == 1 then
    waiting.put_first(id)
  end
end

return held_lines
