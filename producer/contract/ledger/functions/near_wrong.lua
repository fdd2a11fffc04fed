-- A job got the answer of a near question, and it was wrong: that counts at once, and only once.
return {
  takes = { { 'id', checks.id } },
  gives = { 'state' },  -- ok, or missing: nothing near was served to it, or it was reported before
  run = function(given)
    local key = keys.near_served(given.id)
    local served = redis.call('HMGET', key, 'scope', 'entry', 'pair', 'bin')
    local scope, entry, pair, bin = unpack(served)
    if not scope then
      return { state = 'missing' }
    end
    redis.call('DEL', key)
    near.count(scope, { bin .. ':yes:wrong', 'served:wrong', 'reported' })
    near.tell({ 'served:wrong' })
    near.fade(scope)
    near.add_own(scope, entry, 'wrong')
    near.set_verdict(scope, entry, pair, 'no')
    return { state = 'ok' }
  end,
}
