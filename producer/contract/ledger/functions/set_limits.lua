-- Set limits of one user, group or the fleet; what is not given stays.
-- Keeps: a budget that gets its first limit of dollars begins with what was spent in its period.
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

local DOLLARS = checks.optional(checks.limit)  -- micro-dollars; -1 = none

return {
  takes = {
    { 'kind', checks.one_of('user', 'group', 'fleet') },
    { 'name', checks.name },
    { 'weight', checks.optional(checks.number(0.01, 1000)) },
    { 'in_flight', checks.optional(checks.limit) },
    { 'tokens_per_hour', checks.optional(checks.limit) },
    { 'requests_per_minute', checks.optional(checks.limit) },
    { 'usd_per_day', DOLLARS },
    { 'usd_per_week', DOLLARS },
    { 'usd_per_month', DOLLARS },
    { 'group', checks.any },
  },
  -- What was used by now, of those of dollars that are set.
  each = { { 'limit', checks.name }, { 'spent', checks.count }, { 'maybe', checks.count } },
  gives = {},
  run = function(given)
    local known = first_limits.known(given.kind, given.name)
    limits.change(given.kind, given.name, function()
      set(given, {
        'weight', 'in_flight', 'tokens_per_hour', 'requests_per_minute', 'usd_per_day',
        'usd_per_week', 'usd_per_month', 'group',
      })
    end)
    for _, each in ipairs(given.items) do
      if not known[each.limit] and given[each.limit] ~= NONE then
        first_limits.begin(given.kind, given.name, each)
      end
    end
    return {}
  end,
}
