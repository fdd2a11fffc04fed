-- Retention: how long what has ended is kept. Items of a batch are kept as long as their batch,
-- which counts from its end: until then longer, and when it has ended, or begins again, the sweep
-- goes through them.
local retention = {}

local LIFE_MS = 86400000            -- of a job, until a worker has said otherwise
local LONGEST_BATCH_MS = 2592000000  -- results of one that takes more than 30 days may be gone

-- When an item of a batch is forgotten.
local function item_until(batch)
  local kept_ms = tonumber(batches.field(batch, 'ttl'))
  local ended = batches.field(batch, 'ended')
  if ended then
    return ended + kept_ms
  end
  return call.now + kept_ms + LONGEST_BATCH_MS
end

-- Of a job that ends now.
function retention.life_ms(batch)
  if batch and batches.field(batch, 'ttl') then
    return math.max(1, item_until(batch) - call.now)
  end
  return config.number('ttl', LIFE_MS)
end

local function keep_until(id, until_ms)
  for _, key in ipairs({ keys.job(id), keys.outcome(id), keys.continuation(id) }) do
    redis.call('PEXPIRE', key, until_ms - call.now)
  end
  if not requests.is_needed(id) then
    redis.call('PEXPIRE', requests.key(id), until_ms - call.now)
  end
  stored_texts.keep_until(id, until_ms)
end

-- Up to `limit` items of each batch that has ended, or begun again, since this went through it.
function retention.go_through(limit)
  for _, batch in ipairs(redis.call('SMEMBERS', keys.batches_to_keep())) do
    local from = tonumber(batches.field(batch, 'kept_to') or 0)
    local ids = redis.call('LRANGE', keys.batch_ended(batch), from, from + limit - 1)
    if #ids > 0 then
      local until_ms = item_until(batch)
      for _, id in ipairs(ids) do
        keep_until(id, until_ms)
      end
      batches.set(batch, 'kept_to', from + #ids)
    end
    if #ids < limit then
      redis.call('SREM', keys.batches_to_keep(), batch)
    end
  end
end

return retention
