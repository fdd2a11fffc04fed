-- Take a cached answer, wait for an identical job, or open an attempt on the first link that may be
-- called, has room and can answer in time.
-- Keeps: intent, hold and pace are written before the wire, all limits or none; used + held never
-- exceeds a limit. Only a job that is called leads identical ones.

local FIELDS = {
  'state', 'fence', 'cancel', 'grant', 'user', 'group', 'batch', 'of', 'paced', 'wakes_on',
  'flight', 'risk', 'fleet_pays',
}

local function note_blocked(id, last, wakes_on)
  jobs.set(id, 'wakes_on', wakes_on, 'seen_held', last.held)
  if not last.is_over then
    held_lines.join(id, last.budget, last.allowed - last.used - last.asked)
  end
  local batch = jobs.paying_batch(id)
  if batch then
    batches.set(batch, 'held_by', last.budget.limit.name, 'held_at', call.now)
  end
end

-- The limit that lets the amounts in last decides.
local function blocked(id, call_asked)
  local found = call_asked.in_the_way
  local last = found[1]
  local verdict, wakes_on = 'held', limits.followed_while_held(last.budget)
  if last.is_over then
    verdict, wakes_on = 'over', limits.followed(last.budget)
  end
  note_blocked(id, last, wakes_on)
  return { verdict = verdict, wakes_on = wakes_on, in_the_way = limits.told(found) }
end

local function reserved(id, fence, call_asked)
  local candidate = call_asked.candidate
  local link = pace.of(candidate.link)
  if grants.use(id, link, candidate.tokens) then
    rings.gate(jobs.field(id, 'lane'), jobs.field(id, 'user'), '')
  end
  held_lines.leave(id, call_asked.list)
  jobs.remove(id, 'wakes_on')
  limits.wake_one_behind(id)
  return attempts.open(id, fence, candidate.link, call_asked.amounts, call_asked.list)
end

local takes = {
  { 'id', checks.id },
  { 'fence', checks.fence },
  { 'left_ms', checks.ms },   -- until the job must have ended
  { 'least_ms', checks.ms },  -- that a call needs
}
for _, field in ipairs(cached.QUESTION) do
  takes[#takes + 1] = field
end

local function call_or_wait(id, given)
  local chosen, shortest = choices.first(id, given.items, given)
  if not chosen then
    jobs.set(id, 'size', given.items[1].tokens)
    return shortest
  end
  if #chosen.in_the_way > 0 then
    return blocked(id, chosen)
  end
  local number = reserved(id, given.fence, chosen)
  local candidate = chosen.candidate
  local probes = pace.of(candidate.link).probe == id and 1 or 0
  return { verdict = 'go', candidate = candidate.number - 1, number = number, probes = probes }
end

local function answered_or_called(id, given, found)
  if found.hit then
    return { verdict = 'hit' }
  end
  if cached.follows(id, found) then
    return { verdict = 'follow', wakes_on = 'flight:' .. found.flight }
  end
  local reply = { verdict = 'unaffordable' }
  if #given.items > 0 then
    reply = call_or_wait(id, given)
  end
  if reply.verdict == 'go' then
    cached.lead(id, found)
  else
    cached.stop_leading(id)
  end
  return reply
end

return {
  takes = takes,
  -- None: no call is affordable. The last three: the operator's limits of the link, -1 = none.
  each = {
    { 'link', checks.name },
    { 'micro', checks.micro },
    { 'tokens', checks.tokens },
    { 'requests_per_minute', checks.limit },
    { 'tokens_per_minute', checks.limit },
    { 'calls', checks.limit },
  },
  gives = {
    'verdict', 'candidate', 'number', 'probes', 'wait_ms', 'wakes_on', 'trouble', 'in_the_way',
    'entry_key', 'entry', 'now_ms',
  },
  run = function(given)
    local id = given.id
    jobs.load(id, FIELDS)
    if not jobs.is_held(id, given.fence) then
      return { verdict = 'lost' }
    end
    if jobs.field(id, 'cancel') then
      return { verdict = 'cancelled' }
    end
    local found = cached.find(given)
    local reply = answered_or_called(id, given, found)
    reply.entry_key, reply.entry, reply.now_ms = found.key, found.entry, call.now
    return reply
  end,
}
