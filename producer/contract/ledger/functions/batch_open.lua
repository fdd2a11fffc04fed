-- Open a batch, or go on with it.
return {
  takes = {
    { 'batch', checks.id },
    { 'user', checks.name },
    { 'label', checks.long_name },
    { 'retention_ms', checks.life_ms },
    { 'max_micro', checks.integer(-1, 1000000000000) },  -- -1 = no limit
  },
  gives = { 'state', 'max_micro' },  -- new, same or conflict; of the same batch what it may spend
  run = function(given)
    local user = batches.field(given.batch, 'user')
    if user then
      if user ~= given.user then
        return { state = 'conflict', max_micro = -1 }
      end
      local most = redis.call('HGET', keys.limits('batch', given.batch), 'usd')
      return { state = 'same', max_micro = tonumber(most or -1) }
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
