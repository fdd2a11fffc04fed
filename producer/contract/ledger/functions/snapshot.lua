-- One reading of the whole fleet. Reads, but for slots that have left their window.

-- Of workers that live: one that died under an older version left its own behind.
local function of_live_workers(key)
  local found = {}
  local flat = redis.call('HGETALL', key)
  for i = 1, #flat, 2 do
    if redis.call('ZSCORE', keys.workers(), flat[i]) then
      found[#found + 1] = { flat[i], flat[i + 1] }
    end
  end
  return found
end

local function waited_ms(id)
  if jobs.state(id) ~= 'waiting' then
    return 0
  end
  local since = jobs.field(id, 'since') or jobs.field(id, 'at')
  return call.now - math.max(since, lanes.returned_at(id))
end

local function add_all(users, names, is_served)
  for _, name in ipairs(names) do
    users[name] = users[name] or is_served
  end
end

-- Users with a line, and whether it is served in turn: those in the lane's rings, as many as `most`
-- of each, and those at their own or their group's cap, who are in none.
local function users_of(lane, most)
  local users = {}
  for _, link in ipairs({ '', unpack(lanes.gates()) }) do
    add_all(users, redis.call('ZRANGE', keys.ring(lane, link), 0, most - 1), true)
  end
  add_all(users, redis.call('HKEYS', keys.in_flight()), false)
  for _, group in ipairs(redis.call('SMEMBERS', keys.benches())) do
    add_all(users, redis.call('ZRANGE', keys.bench(group), 0, most - 1), false)
  end
  return users
end

-- How many jobs wait in these lines, and for how long the oldest has that no cap holds up.
local function lane_state(lane, most)
  local waiting_jobs, oldest, gate = 0, 0, ''
  for user, is_served in pairs(users_of(lane, most)) do
    local line = keys.waiting(lane, user)
    waiting_jobs = waiting_jobs + redis.call('LLEN', line)
    local head = is_served and redis.call('LINDEX', line, 0)
    local ms = head and waited_ms(head) or 0
    if ms > oldest then
      oldest, gate = ms, lanes.gate_of(lane, user)
    end
  end
  return { lane, waiting_jobs, oldest, gate }
end

local function add_budgets(list, kind, name)
  for _, window in ipairs(windows.ALL) do
    local allowed = windows.allowed(kind, name, window)
    if allowed > 0 then
      local used = budgets.read(budgets.of(kind, name, window))
      list[#list + 1] = { kind, name, window.limit, used, allowed }
    end
  end
end

-- Limits that stop more than one user: those of groups, and the fleet's.
local function limited()
  local list = {}
  for _, subject in ipairs(redis.call('SMEMBERS', keys.limited())) do
    local group = subject:match('^group:(.*)$')
    if group then
      add_budgets(list, 'group', group)
    end
  end
  add_budgets(list, 'fleet', 'all')
  return list
end

local function slots()
  local sum = 0
  for _, each in ipairs(redis.call('HVALS', keys.slots())) do
    sum = sum + tonumber(each)
  end
  return sum
end

-- Jobs that the broker has and no worker began, and for how many ms the first one has been so.
local function released(most)
  local count, oldest = 0, 0
  for _, id in ipairs(redis.call('ZRANGE', keys.open(), 0, most - 1)) do
    if jobs.state(id) == 'released' then
      count = count + 1
      oldest = math.max(oldest, call.now - (tonumber(jobs.field(id, 'out')) or call.now))
    end
  end
  return { count, oldest }
end

-- Lanes that no worker takes jobs of.
local function unserved()
  local found = {}
  for _, lane in ipairs(lanes.ALL) do
    if not capacity.is_served(lane) then
      found[#found + 1] = lane
    end
  end
  return found
end

return {
  takes = {
    { 'most', checks.integer(1, 1000000) },  -- lines looked at per ring
    { 'window_ms', checks.integer(0, 3600000) },  -- of users
  },
  -- lanes: {lane, jobs, oldest ms, the link that this one waits for};
  -- cooling: {link, why, ms, words, jobs}; skews: {worker, ms}; budgets: {kind, name, limit, used,
  -- allowed}; settings: {worker, started ms, names}; users: whose jobs ended, failed, were refused
  gives = {
    'now_ms', 'workers', 'slots', 'open', 'parked', 'dead', 'lanes', 'cooling', 'skews',
    'spent', 'maybe', 'budgets', 'settings', 'ruled_by', 'users', 'unserved', 'released',
  },
  run = function(given)
    local spent, maybe = counters.today('spent_micro', 'maybe_billed_micro')
    local state = {}
    for i, lane in ipairs(lanes.ALL) do
      state[i] = lane_state(lane, given.most)
    end
    return {
      now_ms = call.now,
      workers = redis.call('ZCOUNT', keys.workers(), call.now, '+inf'),
      slots = slots(),
      open = open_jobs.count(),
      parked = redis.call('ZCARD', keys.parked()),
      dead = redis.call('ZCARD', keys.dead()),
      lanes = state,
      cooling = outages.all(),
      skews = of_live_workers(keys.skews()),
      spent = math.max(0, spent),
      maybe = math.max(0, maybe),
      budgets = limited(),
      settings = of_live_workers(keys.worker_settings()),
      ruled_by = config.text('ruled_by'),
      users = hurt_users.counts(given.window_ms),
      unserved = unserved(),
      released = released(given.most),
    }
  end,
}
