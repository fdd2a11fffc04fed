-- The server's clock may be set while the fleet runs. A day forward, every lease has lapsed; a day
-- back, none ever lapses. Workers say how long their process has run, by a clock that nobody sets:
-- where the server's has moved by more or less than that, it was set. Then nothing is swept before
-- every worker has renewed its leases, and what lies too far ahead is fetched back.
local clock = {}

local LEAST_MS = 5000      -- less does no harm
local SAME_MS = 60000      -- other workers notice the same within that time
local UNWATCHED_MS = 60000

-- Whether another worker has noticed it before.
local function is_known(by_ms)
  local ago_ms = call.now - config.number('clock_set')
  local other_ms = by_ms - config.number('clock_set_by')
  return ago_ms >= 0 and ago_ms < SAME_MS and math.abs(other_ms) < LEAST_MS
end

-- The time a job has to finish counts on from where it was.
local function keep_time_of(ids, by_ms)
  for _, id in ipairs(ids) do
    local began = jobs.number(id, 'began')
    if began > 0 then
      jobs.set(id, 'began', began + by_ms)
    end
  end
end

local function fetch_back(by_ms)
  for _, key in ipairs({ keys.open(), keys.parked(), keys.workers() }) do
    for _, name in ipairs(redis.call('ZRANGE', key, 0, -1)) do
      redis.call('ZINCRBY', key, by_ms, name)
    end
  end
  for _, name in ipairs(redis.call('ZRANGE', keys.cooling(), 0, -1)) do
    circuits.fetch_back(pace.of(name), by_ms)
  end
end

-- With each heartbeat: `age_ms` since the worker's process, of that name, began.
function clock.watch(worker, process, age_ms)
  local began = call.now - age_ms
  local noted = redis.call('HGET', keys.worker_clocks(), worker) or ''
  local noted_began, noted_process = noted:match('^(%d+) (.*)$')
  redis.call('HSET', keys.worker_clocks(), worker, began .. ' ' .. process)
  config.set('watched', call.now)
  if noted_process ~= process then
    return
  end
  local by_ms = began - noted_began
  if math.abs(by_ms) < LEAST_MS or is_known(by_ms) then
    return
  end
  config.set('clock_set', call.now, 'clock_set_by', by_ms)
  keep_time_of(open_jobs.all(), by_ms)
  keep_time_of(redis.call('ZRANGE', keys.parked(), 0, -1), by_ms)
  if by_ms < 0 then
    fetch_back(by_ms)
  end
end

-- A sweep follows its worker's heartbeat: where that is long ago, the clock was set between them.
function clock.is_watched()
  return call.now - config.number('watched', call.now) < UNWATCHED_MS
end

-- Without those of which the server's start may have made it forget something: that is settled
-- again in its quiet time.
function clock.but_for_quiet(ids, quiet_ms)
  local found = {}
  for _, id in ipairs(ids) do
    local left_ms = uptime.quiet_left(quiet_ms, jobs.number(id, 'at'))
    found[#found + 1] = left_ms <= 0 and id or nil
  end
  return found
end

return clock
