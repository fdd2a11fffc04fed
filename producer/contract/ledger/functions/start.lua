-- Take the lease of a released job, or say why not.
-- Keeps: only a released job can start; one fence per start; every other delivery is dropped.

local FIELDS = {
  'state', 'wire', 'parent', 'lane', 'turn', 'deadline', 'deliveries', 'fence', 'began', 'user',
  'at', 'cost', 'maybe', 'attempts', 'probes', 'tried', 'double', 'audited', 'request_of',
  'reported', 'group', 'since', 'own', 'own_since',
  'fleet_pays',
}

local function ended(id)
  local reported = jobs.field(id, 'reported')
  if not reported then
    reports.wait(id)
  end
  return {
    verdict = 'ended',
    user = jobs.field(id, 'user') or '',
    lane = jobs.field(id, 'lane') or '',
    outcome = redis.call('GET', keys.outcome(id)) or '',
    reported = reported and 1 or 0,
    continuation = redis.call('GET', keys.continuation(id)) or '',
  }
end

-- The highest release number begun: an older released job that nobody began was lost on the way.
local function note_turn(id)
  local name = jobs.field(id, 'lane') .. ':begun'
  local turn = jobs.number(id, 'turn')
  if turn > tonumber(redis.call('HGET', keys.sequence(), name) or 0) then
    redis.call('HSET', keys.sequence(), name, turn)
  end
end

-- Ends what cannot start any more. Whether it did.
local function end_instead(id, deliveries)
  if documents.is_orphan(id) then
    ending.cancel(id)
    return true
  end
  note_turn(id)
  local deadline = jobs.number(id, 'deadline')
  if deadline > 0 and deadline <= call.now then
    ending.end_job(id, 'expired', outages.expired(id))
    return true
  end
  if jobs.add(id, 'deliveries', 1) > deliveries then
    ending.end_job(id, 'dead', outcomes.POISONED)
    return true
  end
  return false
end

-- For how long in all it waited for a cap, or parked until a limit had room, as its caller chose.
local function own_wait_ms(id)
  local since = jobs.number(id, 'own_since')
  if since > 0 then
    jobs.add(id, 'own', math.max(0, jobs.number(id, 'since') - since))
    jobs.remove(id, 'own_since')
  end
  return jobs.number(id, 'own')
end

local function started(id, owner, lease_ms)
  local fence = jobs.add(id, 'fence', 1)
  jobs.set(id, 'state', 'running', 'owner', owner)
  jobs.set_once(id, 'began', call.now)
  open_jobs.look_at(id, call.now + lease_ms)
  return {
    verdict = 'started',
    fence = fence,
    request = redis.call('GET', requests.key(id)) or '',
    user = jobs.field(id, 'user'),
    lane = jobs.field(id, 'lane'),
    submitted_ms = jobs.number(id, 'at'),
    now_ms = call.now,
    deadline_ms = jobs.number(id, 'deadline'),
    cost = jobs.number(id, 'cost'),
    maybe = jobs.number(id, 'maybe'),
    attempts = jobs.number(id, 'attempts'),
    probes = jobs.number(id, 'probes'),
    tried = jobs.field(id, 'tried') or '',
    double_max_tokens = jobs.number(id, 'double'),
    first_started_ms = jobs.number(id, 'began'),
    audited = jobs.field(id, 'audited') or '',
    continuation = redis.call('GET', keys.continuation(id)) or '',
    group = jobs.field(id, 'group') or '',
    own_wait_ms = own_wait_ms(id),
    fleet_pays = jobs.number(id, 'fleet_pays'),
  }
end

return {
  takes = {
    { 'id', checks.id },
    { 'owner', checks.name },
    { 'lease_ms', checks.ms },
    { 'deliveries', checks.count },  -- starts without an end that are allowed
    { 'quiet_ms', checks.ms },
    { 'wire', checks.count },        -- the newest version that the worker reads
  },
  gives = {
    'verdict', 'state', 'wait_ms', 'outcome', 'reported', 'fence', 'request', 'user', 'lane',
    'submitted_ms', 'now_ms', 'deadline_ms', 'cost', 'maybe', 'attempts', 'probes', 'tried',
    'double_max_tokens', 'first_started_ms', 'audited', 'continuation',
    'group', 'own_wait_ms', 'fleet_pays',
  },
  run = function(given)
    local id = given.id
    jobs.load(id, FIELDS)
    local wait_ms = uptime.quiet_left(given.quiet_ms, jobs.number(id, 'at'))
    if wait_ms > 0 then
      return { verdict = 'early', wait_ms = wait_ms }
    end
    local state = jobs.state(id)
    if not state then
      return { verdict = 'missing' }
    end
    if jobs.has_ended(id) then
      return ended(id)
    end
    if state ~= 'released' then
      return { verdict = 'dropped', state = state }
    end
    if jobs.number(id, 'wire') > given.wire then
      return { verdict = 'dropped', state = 'newer' }  -- the sweep publishes it again
    end
    if end_instead(id, given.deliveries) then
      return ended(id)
    end
    return started(id, given.owner, given.lease_ms)
  end,
}
