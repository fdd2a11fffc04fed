-- Set limits of one user, group or the fleet; what is not given stays.
-- Keeps: a budget that gets its first limit of dollars begins with what was spent today.
local NONE = -1

local function set(given, names)
  local values = {}
  for _, name in ipairs(names) do
    if given[name] ~= '' then
      values[#values + 1] = name
      values[#values + 1] = tostring(given[name])
    end
  end
  if #values > 0 then
    overrides.set(given.kind, given.name, unpack(values))
  end
end

local function begin_with_today(given)
  local budget = budgets.of(given.kind, given.name, windows.DOLLARS)
  budgets.raise_used(budget, 'u', given.spent_today)
  budgets.raise_used(budget, 'm', given.maybe_today)
  budgets.keep(budget)
end

return {
  takes = {
    { 'kind', checks.one_of('user', 'group', 'fleet') },
    { 'name', checks.name },
    { 'weight', checks.optional(checks.number(0.01, 1000)) },
    { 'in_flight', checks.optional(checks.limit) },
    { 'tokens_per_hour', checks.optional(checks.limit) },
    { 'requests_per_minute', checks.optional(checks.limit) },
    { 'usd_per_day', checks.optional(checks.limit) },  -- micro-dollars; -1 = none
    { 'group', checks.any },
    { 'spent_today', checks.count },
    { 'maybe_today', checks.count },
  },
  gives = {},
  run = function(given)
    limits.change(given.kind, given.name, function()
      set(given, {
        'weight', 'in_flight', 'tokens_per_hour', 'requests_per_minute', 'usd_per_day', 'group',
      })
    end)
    if given.usd_per_day ~= '' and given.usd_per_day ~= NONE then
      begin_with_today(given)
    end
    return {}
  end,
}
