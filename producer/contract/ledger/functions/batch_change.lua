-- Pause, resume or cancel a batch. Its state after it, or missing.
-- Keeps: what runs ends, but calls of a cancelled batch are stopped.
local changes = {}

function changes.pause(batch, state)
  if state == 'open' then
    batches.set(batch, 'state', 'paused')
  end
end

function changes.resume(batch, state)
  if state == 'paused' then
    batches.set(batch, 'state', 'open')
    batches.feed(batch)
  end
end

function changes.cancel(batch, state)
  if state ~= 'open' and state ~= 'paused' then
    return
  end
  batches.set(batch, 'state', 'cancelled')
  batches.set_once(batch, 'total', batches.field(batch, 'submitted') or 0)
  redis.call('SADD', keys.ending_batches(), batch)
  for _, id in ipairs(redis.call('SMEMBERS', keys.batch_live(batch))) do
    if jobs.state(id) == 'running' then
      jobs.set(id, 'cancel', 1)
    else
      ending.cancel(id)
    end
  end
  batches.close_if_done(batch)
end

return {
  takes = {
    { 'batch', checks.id },
    { 'change', checks.one_of('pause', 'resume', 'cancel') },
  },
  gives = { 'state', 'publications' },
  run = function(given)
    local state = batches.state(given.batch)
    if not state then
      return { state = 'missing', publications = {} }
    end
    changes[given.change](given.batch, state)
    local list = dispatch.fill({})
    return { state = batches.state(given.batch), publications = list }
  end,
}
