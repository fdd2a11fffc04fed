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

-- `used`: a limit's name, and what was spent and possibly billed.
function first_limits.begin(kind, name, used)
  for _, window in ipairs(windows.DOLLARS) do
    if window.limit == used.limit then
      local budget = budgets.of(kind, name, window)
      budgets.raise_used(budget, 'u', used.spent)
      budgets.raise_used(budget, 'm', used.maybe)
      budgets.keep(budget)
    end
  end
end

return first_limits
