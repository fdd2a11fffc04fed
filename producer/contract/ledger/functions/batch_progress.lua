-- Where a batch stands. Reads only.
local COUNTERS = {
  'user', 'label', 'state', 'at', 'ended', 'total', 'submitted', 'done', 'failed', 'cancelled',
  'cached', 'calls', 'tokens', 'cost', 'maybe', 'held_by', 'held_at', 'estimated',
}

-- The live item that runs longest, and since when.
local function slowest(live)
  local since, found = call.now, ''
  for _, id in ipairs(live) do
    local began = jobs.number(id, 'began')
    if jobs.state(id) == 'running' and began > 0 and began < since then
      since, found = began, id
    end
  end
  return found, call.now - since
end

return {
  takes = { { 'batch', checks.id } },
  -- Empty for an unknown batch. gate: the link its line waits for, or ''.
  gives = {
    'user', 'label', 'state', 'at', 'ended', 'total', 'submitted', 'done', 'failed',
    'cancelled', 'cached', 'calls', 'tokens', 'cost', 'maybe', 'held_by', 'held_at',
    'estimated', 'gate', 'slowest', 'slowest_ms', 'now_ms', 'hinder',
  },
  run = function(given)
    local stored = redis.call('HMGET', keys.batch(given.batch), unpack(COUNTERS))
    local found = {}
    for i, name in ipairs(COUNTERS) do
      found[name] = stored[i] or nil
    end
    if not found.state then
      return {}
    end
    found.gate = lanes.gate_of('batch', found.user)
    local live = redis.call('SMEMBERS', keys.batch_live(given.batch))
    found.slowest, found.slowest_ms = slowest(live)
    found.now_ms = call.now
    found.hinder = outages.hinder(live)
    return found
  end,
}
