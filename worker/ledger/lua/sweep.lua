-- KEYS[1] root
-- ARGV    how many of each kind at most, lease-lapses allowed, 1 if the interactive broker queue is empty, 1 if the batch one is,
--         what to do after a death with the call on the wire: 'retry' | 'fail', quiet ms after a start of the server
-- reply   {ms until a link has room for jobs that wait for that, -1 = none does, publication orders...}
-- keeps   the one recovery path: due, lapsed, never begun, past deadline; any number of sweepers at once
local limit, allowed = tonumber(ARGV[1]), tonumber(ARGV[2])
local empty = { interactive = ARGV[3] == '1', batch = ARGV[4] == '1' }
local out = {}
if quiet_left(tonumber(ARGV[6])) > 0 then return { -1 } end

for _, id in ipairs(redis.call('ZRANGEBYSCORE', key('park'), '-inf', now, 'LIMIT', 0, limit)) do
  redis.call('ZREM', key('park'), id)
  to_waiting(id)
end

for _, id in ipairs(redis.call('ZRANGEBYSCORE', key('dl'), '-inf', now, 'LIMIT', 0, limit)) do
  local state = field(id, 'state')
  if not state or FINAL[state] or state == 'running' then
    redis.call('ZREM', key('dl'), id)   -- its worker knows the deadline and will settle, or its lease will lapse
  else
    finish(id, 'expired', EXPIRED)
    order(out, id)
  end
end

local function lapsed(id)
  local unknown = field(id, 'link')
  if unknown then
    close_attempt(id, number(id, 'fence'), 'lost', UNHEARD)
    redis.call('HINCRBY', job_key(id), 'unknown', 1)
    count('unknown_attempts')
  end
  if field(id, 'cancel') then
    finish(id, 'cancelled', CANCELLED)
    order(out, id)
  elseif unknown and ARGV[5] == 'fail' then
    finish(id, 'failed', UNKNOWN)
    order(out, id)
  elseif number(id, 'deliveries') >= allowed then
    finish(id, 'dead', POISONED)
    order(out, id)
  else
    shut(id)
    to_waiting(id, true)
  end
end

local function never_begun(id)
  local lane = field(id, 'lane')
  local begun = tonumber(redis.call('HGET', key('seq'), lane .. ':begun') or '0')
  redis.call('ZADD', key('open'), now + GRACE_MS, id)
  if empty[lane] or begun > number(id, 'turn') then order(out, id) end
end

for _, id in ipairs(redis.call('ZRANGEBYSCORE', key('open'), '-inf', now, 'LIMIT', 0, limit)) do
  local state = field(id, 'state')
  if state == 'running' then
    lapsed(id)
  elseif state == 'released' then
    never_begun(id)
  else
    shut(id)
  end
end

for _, group in ipairs(redis.call('SMEMBERS', key('benches'))) do
  if not at_cap('group', group, 'infg') then unbench(group) end
end

-- What is left of cancelled batches. Nobody waits for these jobs but the batch, so nobody else is told.
for _, batch in ipairs(redis.call('SMEMBERS', key('bends'))) do
  for _ = 1, limit do
    local id = redis.call('LPOP', key('bw', batch))
    if not id then redis.call('SREM', key('bends'), batch) break end
    if field(id, 'state') == 'staged' then finish(id, 'cancelled', CANCELLED) end
  end
end

-- Absences that no longer matter, and gates that nobody waits at.
for _, link in ipairs({ '', unpack(gates()) }) do
  for _, lane in ipairs(LANES) do redis.call('ZREMRANGEBYSCORE', gone(lane, link), '-inf', config('time', lane, link)) end
  if link ~= '' and redis.call('EXISTS', ring(LANES[1], link), ring(LANES[2], link)) == 0 then redis.call('SREM', key('gates'), link) end
end

release(out)
-- The soonest that a gate opens by time alone.
local soonest = -1
for _, link in ipairs(gates()) do
  local wait = pause(pace_of(link), expected(pace_of(link)))
  if soonest < 0 or wait < soonest then soonest = wait end
end
table.insert(out, 1, soonest)
return out
