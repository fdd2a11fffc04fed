-- Limits: who waits behind one, and what a change of it does at once. Whoever waits behind one that
-- was raised or removed is in line again, in the order in which the jobs were submitted; the next
-- sweep releases them.
local limits = {}

-- What a job follows that waits until a budget has room again.
function limits.followed(budget)
  return 'limit:' .. budget.key
end

-- Milliseconds until `want` fits what is used; -1 = never.
function limits.fits_in_ms(budget, slots, used, want, limit)
  if want > limit or budget.window.whole then
    return -1
  end
  table.sort(slots, function(a, b)
    return a.slot < b.slot
  end)
  for _, each in ipairs(slots) do
    used = used - each.amount
    if used + want <= limit then
      return (each.slot + budget.window.slots) * budget.window.slot_ms - call.now
    end
  end
  return 0
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
    waiting.wake_in_order('budget:' .. budget.key)
  end
  if kind == 'user' then
    rings.join_all(name)
  elseif kind == 'group' then
    call_members(name)
  end
end

return limits
