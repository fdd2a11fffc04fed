-- The questions of a scope that were added after one, in order, and the scope's evidence.
local MOST = 500  -- in one reply

return {
  takes = {
    { 'scope', checks.name },
    { 'since', checks.count },  -- the number of the last one that the asker has; 0 = none
  },
  -- `size`: of all entries; `first`, `last`: their numbers, 0 without any; `numbers` are those of
  -- `ids` and `entries`; `counts`: names and values in turn, in one text, compared as a whole.
  gives = { 'size', 'first', 'last', 'numbers', 'ids', 'entries', 'counts', 'judge_micro' },
  run = function(given)
    local order = keys.near_order(given.scope)
    local after = '(' .. given.since
    local flat = redis.call(
      'ZRANGEBYSCORE', order, after, '+inf', 'WITHSCORES', 'LIMIT', 0, MOST
    )
    local ids, numbers = {}, {}
    for i = 1, #flat, 2 do
      ids[#ids + 1], numbers[#numbers + 1] = flat[i], tonumber(flat[i + 1])
    end
    local entries = {}
    if #ids > 0 then
      entries = redis.call('HMGET', keys.near_entries(given.scope), unpack(ids))
      for i, entry in ipairs(entries) do
        entries[i] = entry or ''
      end
    end
    local first = redis.call('ZRANGE', order, 0, 0, 'WITHSCORES')[2]
    local last = redis.call('ZRANGE', order, -1, -1, 'WITHSCORES')[2]
    return {
      size = redis.call('ZCARD', order),
      first = tonumber(first or 0),
      last = tonumber(last or 0),
      numbers = numbers,
      ids = ids,
      entries = entries,
      counts = near.evidence(given.scope),
      judge_micro = near.judge_micro(0),
    }
  end,
}
