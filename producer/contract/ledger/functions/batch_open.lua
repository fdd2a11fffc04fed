-- Open a batch, or go on with it; another budget is the new one.
-- Keeps: what was spent counts under a budget, also what was spent while there was none.
local function set_budget(batch, max_micro)
  redis.call('HSET', keys.limits('batch', batch), 'usd', max_micro)
  local budget = budgets.of('batch', batch, windows.BATCH)
  first_limits.raise_used(budget, 'u', tonumber(batches.field(batch, 'cost') or 0))
  first_limits.raise_used(budget, 'm', tonumber(batches.field(batch, 'maybe') or 0))
  budgets.keep(budget)
  batches.keep_as_long(batch)
  waiting.wake_in_order(limits.followed_while_held(budget))
end

return {
  takes = {
    { 'batch', checks.id },
    { 'user', checks.name },
    { 'label', checks.long_name },
    { 'retention_ms', checks.life_ms },
    { 'max_micro', checks.integer(-1, 1000000000000) },  -- -1 = as it is, and none for a new one
  },
  gives = { 'state', 'max_micro' },  -- new, same or conflict; what the same one might spend before
  run = function(given)
    local user = batches.field(given.batch, 'user')
    if user then
      if user ~= given.user then
        return { state = 'conflict', max_micro = -1 }
      end
      local before = redis.call('HGET', keys.limits('batch', given.batch), 'usd')
      if given.max_micro >= 0 then
        set_budget(given.batch, given.max_micro)
      end
      return { state = 'same', max_micro = tonumber(before or -1) }
    end
    batches.set(
      given.batch, 'user', given.user, 'label', given.label, 'ttl', given.retention_ms,
      'state', 'open', 'at', call.now
    )
    batches.note(given.batch)
    if given.max_micro >= 0 then
      redis.call('HSET', keys.limits('batch', given.batch), 'usd', given.max_micro)
    end
    return { state = 'new', max_micro = given.max_micro }
  end,
}
