-- Batches: many jobs of one user under one name. An item is staged until its batch feeds it into the user's line, a window at a time,
-- so that a batch of any size can be paused or cancelled at once.
-- Invariants kept here: bl:<batch> = items fed and not ended; an item that ended is counted once and listed once in be:<batch>.

local WINDOW = 64              -- items fed and not ended, at least

-- The batch that pays: an item's own, or that of the item it is a part of.
local function payer(id) return field(id, 'batch') or field(id, 'of') end

local function stage(id, batch)
  redis.call('HSET', job_key(id), 'state', 'staged')
  redis.call('RPUSH', key('bw', batch), id)
end

local function feed(batch)
  if redis.call('HGET', key('b', batch), 'state') ~= 'open' then return end
  local window = math.max(WINDOW, 2 * config('target'))
  while redis.call('SCARD', key('bl', batch)) < window do
    local id = redis.call('LPOP', key('bw', batch))
    if not id then return end
    if field(id, 'state') == 'staged' then
      redis.call('SADD', key('bl', batch), id)
      to_waiting(id)
    end
  end
end

-- A batch is done when all of it was submitted and has ended; then it is kept for its retention.
local function close_if_done(batch)
  local b = key('b', batch)
  local counts = redis.call('HMGET', b, 'total', 'done', 'failed', 'cancelled', 'ttl', 'state')
  local ended = tonumber(counts[2] or '0') + tonumber(counts[3] or '0') + tonumber(counts[4] or '0')
  if not counts[1] or ended < tonumber(counts[1]) then return end
  redis.call('HSET', b, 'state', counts[6] == 'cancelled' and 'cancelled' or 'done', 'ended', now)
  for _, kept in ipairs({ b, key('be', batch), key('br', batch), key('bud', 'usd', 'batch', batch), key('lim', 'batch', batch) }) do
    redis.call('PEXPIRE', kept, counts[5])
  end
end

local GROUPS = { done = 'done', cancelled = 'cancelled' }

local function item_ended(id, batch, state)
  local b = key('b', batch)
  redis.call('HINCRBY', b, GROUPS[state] or 'failed', 1)
  if state == 'done' and number(id, 'attempts') == 0 then redis.call('HINCRBY', b, 'cached', 1) end
  redis.call('SREM', key('bl', batch), id)
  redis.call('RPUSH', key('be', batch), id)
  close_if_done(batch)
  feed(batch)
end
