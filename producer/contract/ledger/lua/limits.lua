-- Limits: who waits behind one, and what a change of it does at once. Whoever waits behind one that
-- was raised or removed is in line again, in the order in which the jobs were submitted; the next
-- sweep releases them.
local limits = {}

-- What a job follows that waits until a budget has room again.
function limits.followed(budget)
  return 'limit:' .. budget.key
end

-- What a job follows that waits for what others hold of a budget.
function limits.followed_while_held(budget)
  return 'budget:' .. budget.key
end

-- Milliseconds until `want` fits what is used; -1 = never.
local function fits_in_ms(budget, slots, used, want, limit)
  if want > limit or budget.window.whole then
    return -1
  end
  table.sort(slots, function(a, b)
    return a.slot < b.slot
  end)
  for _, each in ipairs(slots) do
    used = used - each.amount
    if used + want <= limit then
      return windows.left_at(budget.window, each.slot) - call.now
    end
  end
  return 0
end

-- Those that let the amounts in later come first: never, at the latest instant, as soon as others'
-- holds are settled.
local function is_later(one, other)
  if one.is_over ~= other.is_over then
    return one.is_over
  end
  if (one.fits_in_ms < 0) ~= (other.fits_in_ms < 0) then
    return one.fits_in_ms < 0
  end
  return one.fits_in_ms > other.fits_in_ms
end

-- The budgets of a list whose limits do not allow what is wanted of each, and when they will.
function limits.in_the_way(list, allowed, wants)
  local found = {}
  for i, budget in ipairs(list) do
    local want, limit = wants[i], allowed[i]
    local used, held, slots = budgets.read(budget)
    if want > 0 and used + held + want > limit then
      local is_over = used + want > limit
      found[#found + 1] = {
        budget = budget, allowed = limit, used = used, held = held, asked = want, slots = slots,
        is_over = is_over,
        fits_in_ms = is_over and fits_in_ms(budget, slots, used, want, limit) or 0,
      }
    end
  end
  table.sort(found, is_later)
  return found
end

-- As if it were in the way: another job was before this one.
function limits.in_line(budget, allowed, want)
  local used, held, slots = budgets.read(budget)
  return {
    budget = budget, allowed = allowed, used = used, held = held, asked = want, slots = slots,
    is_over = false, fits_in_ms = 0,
  }
end

function limits.told(found)
  local rows = {}
  for i, each in ipairs(found) do
    rows[i] = {
      each.budget.limit.name, each.allowed, each.used, each.held, each.asked, each.fits_in_ms,
      standings.of(each.budget, each.slots),
    }
  end
  return rows
end

local function forget_if_empty(what)
  if redis.call('EXISTS', keys.followers(what)) == 0 then
    redis.call('SREM', keys.behind(), what)
  end
end

-- A job fits all its limits, so the first of those that wait behind one of them may fit as well:
-- also where it was raised in the workers' settings, or less of it is used than was thought.
function limits.wake_one_behind(id)
  if redis.call('EXISTS', keys.behind()) == 0 then
    return
  end
  local subjects = windows.subjects(id)
  for _, limit in ipairs(windows.LIMITS) do
    local subject = subjects[limit.kind]
    if subject then
      local what = limits.followed(budgets.of(limit.kind, subject, limit.window))
      waiting.wake(what, 1)
      forget_if_empty(what)
    end
  end
end

-- The settings' limits are others now: those behind one are tried again.
function limits.given_anew()
  for _, what in ipairs(redis.call('SMEMBERS', keys.behind())) do
    waiting.wake_in_order(what)
    forget_if_empty(what)
  end
end

-- Of a group whose cap may have been raised: as many members as have room now.
local function call_members(group)
  for _ = 1, caps.group_room(group) do
    caps.call_from_bench(group, rings.join_all)
  end
end

-- `change()` writes the limits of the subject.
function limits.change(kind, name, change)
  local group = kind == 'user' and caps.group_of(name)
  change()
  if group and group ~= caps.group_of(name) then
    redis.call('ZREM', keys.bench(group), name)
  end
  for _, window in ipairs(windows.ALL) do
    local budget = budgets.of(kind, name, window)
    waiting.wake_in_order(limits.followed(budget))
    forget_if_empty(limits.followed(budget))
    waiting.wake_in_order(limits.followed_while_held(budget))
  end
  if kind == 'user' then
    rings.join_all(name)
  elseif kind == 'group' then
    call_members(name)
  end
end

return limits
