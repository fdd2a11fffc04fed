-- Batches: many jobs of one user under one name. An item is staged until its batch feeds it into
-- the user's line, a window at a time, so that a batch of any size is paused or cancelled at once.
-- Invariants: batch_live = items fed and not ended; an item that ended is counted once and listed
-- once in batch_ended.
local batches = {}

local WINDOW = 64  -- items fed and not ended, at least
local OLD_LOOKED_AT = 4
local COUNTED_AS = { done = 'done', cancelled = 'cancelled' }

function batches.field(batch, name)
  return redis.call('HGET', keys.batch(batch), name)
end

function batches.set(batch, ...)
  redis.call('HSET', keys.batch(batch), ...)
end

function batches.set_once(batch, name, value)
  redis.call('HSETNX', keys.batch(batch), name, value)
end

function batches.add(batch, name, amount)
  redis.call('HINCRBY', keys.batch(batch), name, amount)
end

function batches.state(batch)
  return batches.field(batch, 'state')
end

-- What a batch counts an item as that ended in this state.
function batches.counted_as(state)
  return COUNTED_AS[state] or 'failed'
end

local function kept_keys(batch)
  return {
    keys.batch(batch), keys.batch_ended(batch), keys.batch_tries(batch),
    keys.budget('usd', 'batch', batch), keys.limits('batch', batch),
  }
end

-- The sweep goes through its items, to have them kept as long as it is.
local function keep_items(batch)
  batches.set(batch, 'kept_to', 0)
  redis.call('SADD', keys.batches_to_keep(), batch)
end

-- What is written for a batch that has ended goes when it does.
function batches.keep_as_long(batch)
  local left_ms = redis.call('PTTL', keys.batch(batch))
  for _, key in ipairs(left_ms > 0 and kept_keys(batch) or {}) do
    redis.call('PEXPIRE', key, left_ms)
  end
end

-- Live until all has ended again.
function batches.reopen(batch)
  batches.set(batch, 'state', 'open')
  redis.call('HDEL', keys.batch(batch), 'ended')
  for _, key in ipairs(kept_keys(batch)) do
    redis.call('PERSIST', key)
  end
  keep_items(batch)
end

function batches.forget(batch)
  redis.call('DEL', keys.batch_staged(batch), keys.batch_live(batch), unpack(kept_keys(batch)))
  redis.call('ZREM', keys.batches(), batch)
  redis.call('SREM', keys.batches_to_keep(), batch)
end

-- Note a new batch; each drops old ones that are kept no longer.
function batches.note(batch)
  redis.call('ZADD', keys.batches(), call.now, batch)
  for _, old in ipairs(redis.call('ZRANGE', keys.batches(), 0, OLD_LOOKED_AT)) do
    if redis.call('EXISTS', keys.batch(old)) == 0 then
      redis.call('ZREM', keys.batches(), old)
    end
  end
end

function batches.stage(id, batch)
  jobs.set(id, 'state', 'staged')
  redis.call('RPUSH', keys.batch_staged(batch), id)
end

-- Back to the head of what is staged, from the user's line.
function batches.unfeed(id, batch)
  jobs.set(id, 'state', 'staged')
  redis.call('LPUSH', keys.batch_staged(batch), id)
  redis.call('SREM', keys.batch_live(batch), id)
end

function batches.feed(batch)
  if batches.state(batch) ~= 'open' then
    return
  end
  local window = math.max(WINDOW, 2 * config.number('target'))
  while redis.call('SCARD', keys.batch_live(batch)) < window do
    local id = redis.call('LPOP', keys.batch_staged(batch))
    if not id then
      return
    end
    if jobs.state(id) == 'staged' then
      redis.call('SADD', keys.batch_live(batch), id)
      waiting.put_last(id)
    end
  end
end

-- A batch is done when all of it was submitted and has ended; then it is kept for its retention.
function batches.close_if_done(batch)
  local names = { 'total', 'done', 'failed', 'cancelled', 'ttl', 'state' }
  local stored = redis.call('HMGET', keys.batch(batch), unpack(names))
  local found = {}
  for i, name in ipairs(names) do
    found[name] = stored[i]
  end
  local ended = 0
  for _, name in ipairs({ 'done', 'failed', 'cancelled' }) do
    ended = ended + tonumber(found[name] or 0)
  end
  if not found.total or ended < tonumber(found.total) then
    return
  end
  local state = 'done'
  if found.state == 'cancelled' then
    state = 'cancelled'
  end
  batches.set(batch, 'state', state, 'ended', call.now)
  keep_items(batch)
  for _, key in ipairs(kept_keys(batch)) do
    redis.call('PEXPIRE', key, found.ttl)
  end
end

function batches.item_ended(id, batch, state)
  batches.add(batch, batches.counted_as(state), 1)
  if state == 'done' and jobs.number(id, 'attempts') == 0 then
    batches.add(batch, 'cached', 1)
  end
  redis.call('SREM', keys.batch_live(batch), id)
  redis.call('RPUSH', keys.batch_ended(batch), id)
  batches.close_if_done(batch)
  batches.feed(batch)
end

return batches
