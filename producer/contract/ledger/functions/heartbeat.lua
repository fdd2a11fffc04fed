-- Say that a worker lives, with how many slots, by which settings, and which ids it has taken from
-- the broker and starts soon: those are not published again.
-- Keeps: target of released + running = live slots + max(2, a quarter of them), also by lane.

local function forget(worker)
  redis.call('ZREM', keys.workers(), worker)
  redis.call('HDEL', keys.slots(), worker)
  redis.call('HDEL', keys.worker_lanes(), worker)
  redis.call('HDEL', keys.skews(), worker)
  redis.call('HDEL', keys.worker_settings(), worker)
  redis.call('HDEL', keys.worker_clocks(), worker)
end

local function forget_dead()
  for _, worker in ipairs(redis.call('ZRANGEBYSCORE', keys.workers(), '-inf', call.now)) do
    forget(worker)
  end
end

local function wait_for(taken)
  for _, each in ipairs(taken) do
    if jobs.state(each.id) == 'released' then
      open_jobs.put_off(each.id, call.now + dispatch.GRACE_MS)
    end
  end
end

local takes = {
  { 'worker', checks.name },
  { 'process', checks.name },               -- of the worker: another one after each start
  { 'slots', checks.integer(0, 1000000) },  -- 0: it is leaving
  { 'lanes', checks.one_of('both', 'interactive', 'batch', 'none') },  -- that it serves
  { 'life_ms', checks.ms },                 -- of this heartbeat
  { 'age_ms', checks.ms },                  -- since the worker's process started
  { 'clock_ms', checks.count },             -- the worker's own
  { 'library', checks.name },               -- of functions that it calls
}
for _, each in ipairs(fleet_settings.TAKES) do
  takes[#takes + 1] = each
end

return {
  takes = takes,
  each = { { 'id', checks.id } },
  -- ruled_by: the worker whose settings hold; unneeded: libraries to delete.
  gives = { 'ruled_by', 'differing', 'unneeded' },
  run = function(given)
    local names = ''
    if given.slots > 0 then
      clock.watch(given.worker, given.process, given.age_ms)
      redis.call('ZADD', keys.workers(), call.now + given.life_ms, given.worker)
      redis.call('HSET', keys.slots(), given.worker, given.slots)
      redis.call('HSET', keys.worker_lanes(), given.worker, given.lanes)
      redis.call('HSET', keys.skews(), given.worker, given.clock_ms - call.now)
      forget_dead()
      names = fleet_settings.share(given)
      libraries.note_worker(given.library, given.life_ms)
      wait_for(given.items)
    else
      forget(given.worker)
      forget_dead()
    end
    capacity.set()
    return {
      ruled_by = config.text('ruled_by'),
      differing = names,
      unneeded = libraries.take_unneeded(),
    }
  end,
}
