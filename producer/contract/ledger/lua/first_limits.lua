-- First limits: a budget of dollars that gets one begins with what was used in its period. One that
-- has a limit counts that already, and exactly: the sums of usage are those of whole UTC days.
local first_limits = {}

local NONE = -1

-- Of a subject, by name: the limits of dollars that are in force.
function first_limits.known(kind, name)
  local found = {}
  for _, window in ipairs(windows.DOLLARS) do
    found[window.limit] = windows.allowed(kind, name, window) ~= NONE
  end
  return found
end

-- At least so much was used in the slot of now: it was not counted while there was no limit.
function first_limits.raise_used(budget, kind, amount)
  local name = kind .. windows.slot(budget.window, call.now)
  if amount > tonumber(redis.call('HGET', budget.key, name) or 0) then
    redis.call('HSET', budget.key, name, amount)
  end
end

-- `used`: a limit's name, and what was spent and possibly billed.
function first_limits.begin(kind, name, used)
  for _, window in ipairs(windows.DOLLARS) do
    if window.limit == used.limit then
      local budget = budgets.of(kind, name, window)
      first_limits.raise_used(budget, 'u', used.spent)
      first_limits.raise_used(budget, 'm', used.maybe)
      budgets.keep(budget)
    end
  end
end

return first_limits
