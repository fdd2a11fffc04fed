-- What a job's budgets leave now. Reads, but for slots that have left their window.
return {
  takes = {
    { 'id', checks.id },
    { 'user_tokens_per_hour', checks.limit },
    { 'user_requests_per_minute', checks.limit },
    { 'user_usd_per_day', checks.limit },
    { 'usd_per_day', checks.limit },
  },
  gives = { 'micro', 'limit' },  -- micro-dollars, -1 = no limit; name of the tightest
  run = function(given)
    local micro, name = -1, ''
    local list, limits = budgets.limited(given.id, given)
    for i, budget in ipairs(list) do
      if budget.unit == 'micro' then
        local used, held = budgets.read(budget)
        local rest = math.max(0, limits[i] - used - held)
        if micro < 0 or rest < micro then
          micro, name = rest, budget.limit.name
        end
      end
    end
    return { micro = micro, limit = name }
  end,
}
