-- What one user, group or the fleet has used of each limit. Reads, but for slots that have left
-- their window.

local function row(budget, allowed)
  local used, held, slots = budgets.read(budget)
  local maybe, resets_ms = standings.of(budget, slots)
  return { budget.window.limit, allowed, used - maybe, maybe, held, resets_ms }
end

return {
  takes = {
    { 'kind', checks.one_of('user', 'group', 'fleet') },
    { 'name', checks.name },
  },
  -- Of each limit that is set or in use: its name, what is allowed (-1 = any), spent, possibly
  -- billed and held, and ms until nothing of it counts.
  gives = { 'limits', 'group' },
  run = function(given)
    local rows = {}
    for _, window in ipairs(windows.ALL) do
      local allowed = windows.allowed(given.kind, given.name, window)
      local found = row(budgets.of(given.kind, given.name, window), allowed)
      if allowed >= 0 or found[3] + found[4] + found[5] > 0 then
        rows[#rows + 1] = found
      end
    end
    local group = given.kind == 'user' and caps.group_of(given.name)
    return { limits = rows, group = group or '' }
  end,
}
