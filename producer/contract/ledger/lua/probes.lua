-- Probes: which of the jobs that wait for a link tries it, when the time for that has come.
local probes = {}

local LOOKED_AT = 20

-- How a job ranks: one that has probed before comes last, then the shortest call is best.
local function rank(id)
  return jobs.number(id, 'probes') * 1e12 + jobs.number(id, 'size')
end

local function wake_best(what)
  local best
  for _, id in ipairs(redis.call('LRANGE', keys.followers(what), 0, LOOKED_AT - 1)) do
    if not redis.call('ZSCORE', keys.parked(), id) then
      redis.call('LREM', keys.followers(what), 1, id)
    elseif not best or rank(id) < rank(best) then
      best = id
    end
  end
  if best then
    redis.call('LREM', keys.followers(what), 1, best)
    redis.call('ZREM', keys.parked(), best)
    waiting.put_first(best)
  end
end

-- Of each link whose time has come: one job goes to probe it; of one that is itself again, the
-- jobs that still wait.
function probes.send()
  local due = redis.call('ZRANGEBYSCORE', keys.cooling(), '-inf', call.now)
  for _, name in ipairs(due) do
    local link, what = pace.of(name), 'link:' .. name
    if circuits.is_closed(link) then
      waiting.wake_in_order(what)
    elseif not circuits.prober(link) then
      wake_best(what)
    end
    if circuits.is_closed(link) and redis.call('EXISTS', keys.followers(what)) == 0 then
      redis.call('ZREM', keys.cooling(), name)
    else
      redis.call('ZADD', keys.cooling(), call.now + pace.LOOK_MS, name)
    end
  end
end

-- Milliseconds until a link is to be looked at; -1 = none is.
function probes.next_ms()
  local soonest = redis.call('ZRANGE', keys.cooling(), 0, 0, 'WITHSCORES')[2]
  return soonest and math.max(0, soonest - call.now) or -1
end

return probes
