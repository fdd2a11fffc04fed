-- Open a batch, or go on with it.
return {
  takes = {
    { 'batch', checks.id },
    { 'user', checks.name },
    { 'label', checks.long_name },
    { 'retention_ms', checks.ms },
    { 'max_micro', checks.integer(-1, 1000000000000) },  -- -1 = no limit
  },
  gives = { 'state' },  -- new, same or conflict
  run = function(given)
    local user = batches.field(given.batch, 'user')
    if user then
      return { state = user == given.user and 'same' or 'conflict' }
    end
    batches.set(
      given.batch, 'user', given.user, 'label', given.label, 'ttl', given.retention_ms,
      'state', 'open', 'at', call.now
    )
    batches.note(given.batch)
    if given.max_micro >= 0 then
      redis.call('HSET', keys.limits('batch', given.batch), 'usd', given.max_micro)
    end
    return { state = 'new' }
  end,
}
