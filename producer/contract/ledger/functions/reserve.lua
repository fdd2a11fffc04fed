-- Open an attempt on the first link that is not cooling and has room.
-- Keeps: intent, hold and pace are written before the wire, all limits or none; used + held never
-- exceeds a limit.

local FIELDS = {
  'state', 'fence', 'cancel', 'grant', 'user', 'group', 'batch', 'of', 'paced', 'wakes_on',
}

-- What a refused link makes its job wait for.
local function obstacle(link, granted, own, tokens)
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
local function first_free(id, candidates)
  local granted = jobs.field(id, 'grant')
  local shortest
  for i, each in ipairs(candidates) do
    local own = {
      own_requests = limit_or_false(each.requests_per_minute),
      own_tokens = limit_or_false(each.tokens_per_minute),
      own_calls = limit_or_false(each.calls),
    }
    local link = pace.of(each.link, own)
    local found = obstacle(link, granted, own, each.tokens)
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

local function note_blocked(id, budget, held)
  jobs.set(id, 'wakes_on', 'budget:' .. budget.key, 'seen_held', held)
  local batch = jobs.paying_batch(id)
  if batch then
    batches.set(batch, 'held_by', budget.limit.name, 'held_at', call.now)
  end
end

-- What keeps the amounts from fitting; nil if they fit all limits.
local function over_limit(id, list, limits, amounts)
  for i, budget in ipairs(list) do
    local want, limit = amounts[budget.unit], limits[i]
    local used, held, slots = budgets.read(budget)
    if used + held + want > limit then
      note_blocked(id, budget, held)
      local found = {
        verdict = 'held', limit = budget.limit.name, allowed = limit, used = used, held = held,
        asked = want, fits_in_ms = 0, wakes_on = 'budget:' .. budget.key,
      }
      if used + want > limit then
        found.verdict = 'over'
        found.fits_in_ms = budgets.fits_in_ms(budget, slots, used, want, limit)
      end
      return found
    end
  end
end

local function reserved(id, fence, candidate, amounts, list)
  local link = pace.of(candidate.link)
  if grants.use(id, link, candidate.tokens) then
    rings.gate(jobs.field(id, 'lane'), jobs.field(id, 'user'), '')
  end
  jobs.remove(id, 'wakes_on')
  return attempts.open(id, fence, candidate.link, amounts, list)
end

return {
  -- The limits that the worker's settings give; -1 = none.
  takes = {
    { 'id', checks.id },
    { 'fence', checks.fence },
    { 'user_tokens_per_hour', checks.limit },
    { 'user_requests_per_minute', checks.limit },
    { 'user_usd_per_day', checks.limit },  -- micro-dollars
    { 'usd_per_day', checks.limit },       -- of the fleet
  },
  -- The last three: the operator's limits of the link, -1 = none.
  each = {
    { 'link', checks.name },
    { 'micro', checks.micro },
    { 'tokens', checks.tokens },
    { 'requests_per_minute', checks.limit },
    { 'tokens_per_minute', checks.limit },
    { 'calls', checks.limit },
  },
  gives = {
    'verdict', 'candidate', 'number', 'wait_ms', 'wakes_on', 'limit', 'allowed', 'used', 'held',
    'asked', 'fits_in_ms',
  },
  run = function(given)
    local id = given.id
    jobs.load(id, FIELDS)
    if not jobs.is_held(id, given.fence) then
      return { verdict = 'lost' }
    end
    if jobs.field(id, 'cancel') then
      return { verdict = 'cancelled' }
    end
    local chosen, shortest = first_free(id, given.items)
    if not chosen then
      return shortest or { verdict = 'cooling', wait_ms = pace.LOOK_MS, wakes_on = '' }
    end
    local candidate = given.items[chosen]
    local amounts = { micro = candidate.micro, tokens = candidate.tokens, requests = 1 }
    local list, limits = budgets.limited(id, given)
    local refused = over_limit(id, list, limits, amounts)
    if refused then
      return refused
    end
    local number = reserved(id, given.fence, candidate, amounts, list)
    return { verdict = 'go', candidate = chosen - 1, number = number }
  end,
}
