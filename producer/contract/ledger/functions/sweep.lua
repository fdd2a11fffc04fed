-- The one recovery path: what is due, what lapsed, what was never begun, what passed its deadline.
-- Keeps: any number of sweepers at once change nothing twice.

local function expire(given, list)
  local due =
    redis.call('ZRANGEBYSCORE', keys.deadlines(), '-inf', call.now, 'LIMIT', 0, given.limit)
  for _, id in ipairs(clock.but_for_quiet(due, given.quiet_ms)) do
    local state = jobs.state(id)
    if not state or jobs.has_ended(id) or state == 'running' then
      -- A running one's worker knows the deadline and will settle, or its lease will lapse.
      redis.call('ZREM', keys.deadlines(), id)
    else
      ending.end_job(id, 'expired', outages.expired(id))
      publications.add(list, id)
    end
  end
end

-- The worker's call, if one was open, may have been billed.
local function close_unknown(id)
  if not jobs.field(id, 'link') then
    return false
  end
  attempts.close(id, jobs.number(id, 'fence'), 'lost', bills.UNHEARD)
  jobs.add(id, 'unknown', 1)
  counters.add('unknown_attempts')
  return true
end

-- A worker that died while the job waited for its provider says nothing against the job: that is an
-- attempt, not a start that ended in a crash.
local function recover_lapsed(id, given, list)
  local unknown = close_unknown(id)
  if unknown then
    jobs.add(id, 'deliveries', -1)
  end
  if jobs.field(id, 'cancel') then
    ending.cancel(id)
  elseif unknown and given.on_unknown == 'fail' then
    ending.end_job(id, 'failed', outcomes.UNKNOWN)
  elseif unknown and jobs.number(id, 'attempts') >= given.attempts then
    ending.end_job(id, 'failed', outcomes.LAST_UNKNOWN)
  elseif jobs.number(id, 'deliveries') >= given.deliveries then
    ending.end_job(id, 'dead', outcomes.POISONED)
  else
    open_jobs.close(id)
    waiting.put_first(id)
    cached.stop_leading(id)
    return
  end
  publications.add(list, id)
end

-- A released id is published again if a younger release has begun or the broker's queue is empty:
-- by time alone, copies would multiply behind long calls.
local function publish_again(id, given, list)
  local lane = jobs.field(id, 'lane')
  local begun = tonumber(redis.call('HGET', keys.sequence(), lane .. ':begun') or 0)
  open_jobs.look_at(id, call.now + dispatch.GRACE_MS)
  if given[lane .. '_empty'] or begun > jobs.number(id, 'turn') then
    publications.add(list, id)
  end
end

local function look_at_open(given, list)
  for _, id in ipairs(clock.but_for_quiet(open_jobs.due(given.limit), given.quiet_ms)) do
    local state = jobs.state(id)
    if state == 'running' then
      recover_lapsed(id, given, list)
    elseif state == 'released' and capacity.is_served(jobs.field(id, 'lane')) then
      publish_again(id, given, list)
    elseif state == 'released' then
      open_jobs.close(id)
      waiting.put_first(id)
    else
      open_jobs.close(id)
    end
  end
end

local function call_benches()
  for _, group in ipairs(redis.call('SMEMBERS', keys.benches())) do
    if not caps.group_is_full(group) then
      caps.call_from_bench(group, rings.join_all)
    end
  end
end

-- What is left of cancelled batches. Only the batch waits for these jobs, so only it is told.
local function end_cancelled_batches(limit)
  for _, batch in ipairs(redis.call('SMEMBERS', keys.ending_batches())) do
    local staged = redis.call('LPOP', keys.batch_staged(batch), limit) or {}
    for _, id in ipairs(staged) do
      if jobs.state(id) == 'staged' then
        ending.cancel(id)
      end
    end
    if #staged < limit then
      redis.call('SREM', keys.ending_batches(), batch)
    end
  end
end

-- The soonest that a gate opens by time alone, or that a link is to be probed, in ms; -1 = none.
local function soonest_room()
  local soonest = probes.next_ms()
  for _, name in ipairs(lanes.gates()) do
    local link = pace.of(name)
    local wait_ms = room.wait_ms(link, room.expected_tokens(link))
    if soonest < 0 or wait_ms < soonest then
      soonest = wait_ms
    end
  end
  return soonest
end

return {
  takes = {
    { 'limit', checks.integer(1, 10000) },    -- of each kind
    { 'deliveries', checks.count },           -- starts without an end that are allowed
    { 'attempts', checks.count },             -- calls of one job that are allowed
    { 'interactive_empty', checks.flag },     -- whether the broker's queue is
    { 'batch_empty', checks.flag },
    { 'on_unknown', checks.one_of('retry', 'fail') },  -- after a death with the call on the wire
    { 'quiet_ms', checks.ms },
  },
  gives = { 'room_ms', 'publications' },
  run = function(given)
    local list = {}
    if not clock.is_watched() then
      return { room_ms = -1, publications = list }
    end
    for _, id in ipairs(waiting.promote_due(given.limit)) do
      cached.stop_leading(id)
    end
    probes.send()
    expire(given, list)
    look_at_open(given, list)
    call_benches()
    end_cancelled_batches(given.limit)
    retention.go_through(given.limit)
    publications.add_all(list, reports.overdue(given.limit))
    rings.trim()
    open_jobs.trim()
    counters.add_up()
    dispatch.fill(list)
    return { room_ms = soonest_room(), publications = list }
  end,
}
