-- The cached answer that a near question points at, if it may be given to this asker, and what is
-- known of that question.
return {
  takes = {
    { 'scope', checks.name },
    { 'entry', checks.name },
    { 'pair', checks.name },
    { 'content', checks.any },
    { 'namespace', checks.any },
    { 'tags', checks.any },
  },
  gives = { 'answer', 'now_ms', 'right', 'wrong', 'verdict' },  -- answer '' = there is none
  run = function(given)
    local answer, own = '', { false, false, false }
    if redis.call('HEXISTS', keys.near_entries(given.scope), given.entry) == 1 then
      given.take, given.join = true, false
      local found = cached.find(given)
      answer = found.hit and found.entry or ''
      own = redis.call(
        'HMGET', keys.near_own(given.scope, given.entry), 'right', 'wrong', given.pair
      )
    end
    return {
      answer = answer,
      now_ms = call.now,
      right = tonumber(own[1] or 0),
      wrong = tonumber(own[2] or 0),
      verdict = own[3] or 'none',
    }
  end,
}
