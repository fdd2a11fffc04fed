-- Standings: what is used of a budget, in what its caller is told.
local standings = {}

-- By the slots in use: how much of it may have been billed, and ms until nothing of it counts.
function standings.of(budget, slots)
  local maybe, last = 0, nil
  for _, each in ipairs(slots) do
    if each.kind == 'm' then
      maybe = maybe + each.amount
    end
    last = math.max(last or each.slot, each.slot)
  end
  return maybe, last and windows.left_at(budget.window, last) - call.now or 0
end

return standings
