-- Keep a question whose answer is cached, so that near ones find it; the oldest leave.
local MOST_LEAVE = 100  -- in one call: a cap that was lowered is reached call by call

return {
  takes = {
    { 'scope', checks.name },
    { 'entry', checks.name },
    { 'body', checks.body },
    { 'name', checks.any },         -- of the scope, for people
    { 'stated', checks.number(0, 1) },  -- the rate of wrong answers that is to be kept
    { 'most', checks.count },
    { 'life_ms', checks.life_ms },  -- of an entry
  },
  gives = { 'size', 'gone', 'now_ms' },  -- `gone`: those that left
  run = function(given)
    local scope = given.scope
    local order, entries = keys.near_order(scope), keys.near_entries(scope)
    local number = 1 + (redis.call('ZRANGE', order, -1, -1, 'WITHSCORES')[2] or 0)
    redis.call('ZADD', order, number, given.entry)
    redis.call('HSET', entries, given.entry, given.body)
    local over = math.min(redis.call('ZCARD', order) - given.most, MOST_LEAVE)
    local gone = over > 0 and redis.call('ZRANGE', order, 0, over - 1) or {}
    for _, entry in ipairs(gone) do
      near.forget(scope, entry)
    end
    redis.call('PEXPIRE', order, given.life_ms)
    redis.call('PEXPIRE', entries, given.life_ms)
    near.touch(scope)
    near.count(scope, {})
    redis.call('HSET', keys.near_counts(scope), 'name', given.name, 'stated', given.stated)
    return { size = redis.call('ZCARD', order), gone = gone, now_ms = call.now }
  end,
}
