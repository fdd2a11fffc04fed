-- What a job's budgets leave now. Reads, but for slots that have left their window.
return {
  takes = {
    { 'id', checks.id },
  },
  -- Of the tightest budget of money and of tokens: what is left, and allowed in a day or an hour;
  -- -1 = no limit.
  gives = { 'micro', 'micro_allowed', 'tokens', 'tokens_allowed' },
  run = function(given)
    local found = { micro = -1, micro_allowed = -1, tokens = -1, tokens_allowed = -1 }
    local list, limits = budgets.limited(given.id)
    for i, budget in ipairs(list) do
      local unit = budget.unit
      local tightest = found[unit]
      if tightest then
        local used, held = budgets.read(budget)
        local rest = math.max(0, limits[i] - used - held)
        if tightest < 0 or rest < tightest then
          found[unit] = rest
          found[unit .. '_allowed'] = math.floor(limits[i] / (budget.window.days or 1))
        end
      end
    end
    return found
  end,
}
