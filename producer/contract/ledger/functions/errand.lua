-- Store a job that a worker does on its way, beside the one that it runs, and start it in the same
-- step: it is in no line, and waits for nobody.
-- Keeps: it has a lease as any job, so that another worker does it if this one dies.
local takes = {
  { 'id', checks.new_id },
  { 'user', checks.name },
  { 'lane', checks.lane },
  { 'fingerprint', checks.name },
  { 'request', checks.body },
  { 'tags', checks.body },
  { 'wire', checks.count },
  { 'owner', checks.name },
  { 'lease_ms', checks.ms },
  { 'paid_by', checks.one_of('user', 'fleet') },
}

local ABSENT = { 'idempotency_key', 'replays', 'continuation', 'wrong', 'texts' }

local function store(given)
  local job = { deadline_ms = 0, delay_ms = 0 }
  for _, name in ipairs(ABSENT) do
    job[name] = ''
  end
  for _, field in ipairs(takes) do
    job[field[1]] = given[field[1]]
  end
  submissions.store(job)
end

return {
  takes = takes,
  gives = { 'fence', 'now_ms', 'group' },  -- fence 0: there is a job of that id
  run = function(given)
    local id = given.id
    if jobs.state(id) then
      return { fence = 0, now_ms = call.now, group = '' }
    end
    store(given)
    if given.paid_by == 'fleet' then
      payers.fleet_alone(id)
    end
    caps.one_more(id)
    jobs.set(id, 'state', 'running', 'fence', 1, 'owner', given.owner, 'began', call.now)
    open_jobs.add(id, call.now + given.lease_ms)
    return { fence = 1, now_ms = call.now, group = jobs.field(id, 'group') or '' }
  end,
}
