-- Give a lease back: the job waits for a time, for something to move, or for its turn.
-- Keeps: hold returned or kept as possibly billed, slot freed, next released, in one step.
local takes = {
  { 'id', checks.id },
  { 'fence', checks.fence },
  { 'delay_ms', checks.ms },
  { 'fault', checks.any },
}
for _, field in ipairs(bills.FIELDS) do
  takes[#takes + 1] = field
end
for _, field in ipairs({
  { 'wakes_on', checks.followed },            -- '' = only the time
  { 'crashed', checks.flag },                 -- counts as a start without an end
  { 'double_max_tokens', checks.flag },
  { 'restart_clock', checks.flag },           -- the time to finish begins anew with the next start
  { 'audited', checks.any },
}) do
  takes[#takes + 1] = field
end

local function note(given)
  local id = given.id
  if not given.crashed then
    jobs.add(id, 'deliveries', -1)
  end
  if given.double_max_tokens then
    jobs.set(id, 'double', 1)
  end
  if given.audited ~= '' then
    jobs.set(id, 'audited', given.audited)
  end
  if given.restart_clock then
    jobs.remove(id, 'began')
  end
end

local function may_be_tried(names)
  for _, name in ipairs(names) do
    if circuits.is_closed(pace.of(name)) then
      return true
    end
  end
  return false
end

-- What it would follow may have moved since it looked; then nothing would wake it.
local function has_moved(id, wakes_on)
  local kind, name = wakes_on:match('^(%a+):(.+)$')
  if kind == 'flight' then
    return not cached.leader_of(name)
  end
  if kind == 'links' then
    return may_be_tried(waiting.links_of(wakes_on))
  end
  if kind == 'parts' then
    return jobs.number(id, 'parts') <= 0 or jobs.field(id, 'broken')
  end
  if kind == 'budget' then
    local held = tonumber(redis.call('HGET', name, 'h') or 0)
    return held < jobs.number(id, 'seen_held')
  end
  return false
end

local function wait(given)
  local id, wakes_on = given.id, given.wakes_on
  local link = wakes_on:match('^pace:(.+)$')
  local for_provider = false
  if link then
    waiting.put_first(id)
    rings.gate(jobs.field(id, 'lane'), jobs.field(id, 'user'), link)
  elseif given.delay_ms <= 0 or has_moved(id, wakes_on) then
    waiting.put_first(id)
  else
    waiting.park(id, given.delay_ms)
    for_provider = given.fault ~= ''
    if wakes_on ~= '' then
      waiting.follow(id, wakes_on)
    end
    if wakes_on:sub(1, 6) == 'limit:' then
      jobs.set(id, 'own_since', call.now)  -- its caller chose that
    end
  end
  if not for_provider then
    cached.stop_leading(id)
  end
end

return {
  takes = takes,
  each = { { 'sample', checks.name } },
  gives = { 'state', 'publications' },  -- ok, lost or cancelled
  run = function(given)
    local id = given.id
    attempts.load(id, given.fence)
    if not jobs.is_held(id, given.fence) then
      return { state = 'lost', publications = {} }
    end
    attempts.close(id, given.fence, given.fault, given)
    note(given)
    counters.add_samples(given.items)
    local list = {}
    if jobs.field(id, 'cancel') then
      ending.cancel(id)
      publications.add(list, id)
      return { state = 'cancelled', publications = dispatch.fill(list) }
    end
    open_jobs.close(id)
    wait(given)
    return { state = 'ok', publications = dispatch.fill(list) }
  end,
}
