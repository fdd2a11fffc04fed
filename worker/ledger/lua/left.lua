-- KEYS[1] root
-- ARGV    id, the settings' limits as in attempt
-- reply   {micro-dollars that the job's budgets leave now, -1 = no limit, name of the tightest or ''}
-- keeps   reads, but for slots that have left their window
local left, name, limits = -1, '', settings_limits(2)
for _, budget in ipairs(budgets(ARGV[1])) do
  local limit = limit_of(budget, limits)
  if budget.unit == 'micro' and limit >= 0 then
    local used, held = read_budget(budget)
    local rest = math.max(0, limit - used - held)
    if left < 0 or rest < left then left, name = rest, budget.name end
  end
end
return { left, name }
