-- Open jobs: exactly the released and running ones, by the time of their next look.
-- Invariant: ZCARD open = released + running = the sum of jobs in flight per user. Those of the
-- lane batch are noted beside it, too.
local open_jobs = {}

function open_jobs.count()
  return redis.call('ZCARD', keys.open())
end

function open_jobs.by_lane()
  local batch = redis.call('ZCARD', keys.open_batch())
  return { interactive = open_jobs.count() - batch, batch = batch }
end

-- A job that was none before.
function open_jobs.add(id, at_ms)
  if jobs.field(id, 'lane') == 'batch' then
    redis.call('ZADD', keys.open_batch(), 0, id)
  end
  open_jobs.look_at(id, at_ms)
end

function open_jobs.look_at(id, at_ms)
  redis.call('ZADD', keys.open(), at_ms, id)
end

-- Put off the next look at a job that is open still.
function open_jobs.put_off(id, at_ms)
  redis.call('ZADD', keys.open(), 'XX', at_ms, id)
end

function open_jobs.due(limit)
  return redis.call('ZRANGEBYSCORE', keys.open(), '-inf', call.now, 'LIMIT', 0, limit)
end

function open_jobs.all()
  return redis.call('ZRANGE', keys.open(), 0, -1)
end

-- The job is no longer released or running: its user and group have one less in flight, and may
-- join their rings again.
function open_jobs.close(id)
  if redis.call('ZREM', keys.open(), id) == 0 then
    return
  end
  redis.call('ZREM', keys.open_batch(), id)
  grants.take_back(id)
  local user, group = jobs.field(id, 'user'), jobs.field(id, 'group')
  if not user then
    return  -- its record is gone
  end
  caps.one_less(keys.in_flight(), user)
  rings.join_all(user)
  if group then
    caps.one_less(keys.group_in_flight(), group)
    caps.call_from_bench(group, rings.join_all)
  end
end

-- Those that an older version of the functions closed.
function open_jobs.trim()
  redis.call('ZINTERSTORE', keys.open_batch(), 2, keys.open_batch(), keys.open(), 'WEIGHTS', 1, 0)
end

return open_jobs
