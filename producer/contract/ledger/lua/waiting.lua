-- Waiting: a job in its user's line, and jobs parked until a time or until something moves.
local waiting = {}

local HINT_LIFE_MS = 172800000

function waiting.put_last(id)
  if not jobs.field(id, 'user') then
    return  -- its record is gone
  end
  local lane, user = jobs.field(id, 'lane'), jobs.field(id, 'user')
  local number = lanes.next_number(lane, user)
  jobs.set(id, 'state', 'waiting', 'since', call.now, 'no', number)
  redis.call('RPUSH', keys.waiting(lane, user), id)
  rings.join(lane, user)
end

function waiting.put_first(id)
  if not jobs.field(id, 'user') then
    return
  end
  local lane, user = jobs.field(id, 'lane'), jobs.field(id, 'user')
  jobs.set(id, 'state', 'waiting', 'since', call.now)
  jobs.remove(id, 'no')
  redis.call('LPUSH', keys.waiting(lane, user), id)
  rings.join(lane, user)
end

function waiting.park(id, delay_ms)
  jobs.set(id, 'state', 'parked')
  redis.call('ZADD', keys.parked(), call.now + delay_ms, id)
end

-- Have `what` wake the parked job: "job:<id>", "budget:<key>", "link:<name>" or "parts:<id>".
function waiting.follow(id, what)
  jobs.set(id, 'wakes_on', what)
  redis.call('RPUSH', keys.followers(what), id)
  redis.call('PEXPIRE', keys.followers(what), HINT_LIFE_MS)
end

-- Move up to `limit` of the jobs that follow `what` back into line.
function waiting.wake(what, limit)
  local list = keys.followers(what)
  for _ = 1, limit do
    local id = redis.call('LPOP', list)
    if not id then
      return
    end
    if redis.call('ZREM', keys.parked(), id) == 1 then
      waiting.put_last(id)
    end
  end
end

-- Promote up to `limit` parked jobs whose time has come.
function waiting.promote_due(limit)
  local due = redis.call('ZRANGEBYSCORE', keys.parked(), '-inf', call.now, 'LIMIT', 0, limit)
  for _, id in ipairs(due) do
    redis.call('ZREM', keys.parked(), id)
    waiting.put_last(id)
  end
end

return waiting
