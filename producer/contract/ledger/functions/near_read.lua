-- What is kept of some questions of a scope, by their ids.
return {
  takes = { { 'scope', checks.name } },
  each = { { 'entry', checks.name } },
  gives = { 'entries', 'now_ms' },  -- in the order asked for; '' = it is gone
  run = function(given)
    local ids = {}
    for i, item in ipairs(given.items) do
      ids[i] = item.entry
    end
    local entries = {}
    if #ids > 0 then
      entries = redis.call('HMGET', keys.near_entries(given.scope), unpack(ids))
    end
    for i = 1, #ids do
      entries[i] = entries[i] or ''
    end
    return { entries = entries, now_ms = call.now }
  end,
}
