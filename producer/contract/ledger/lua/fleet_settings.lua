-- The settings that are the fleet's: where workers' differ, those of the one that started last
-- hold.
local fleet_settings = {}

local SAME_START_MS = 5000

local SHARED = {
  { 'ttl', 'outcome_ms' },
  { 'dead_ms', 'dead_letter_ms' },
  { 'usage_ms', 'usage_ms' },
  { 'share', 'batch_share' },
  { 'cap', 'user_in_flight' },
}
local LIMITS = { { 'zone', 'zone' } }

-- Arguments of a heartbeat.
fleet_settings.TAKES = {
  { 'outcome_ms', checks.life_ms },
  { 'dead_letter_ms', checks.ms },
  { 'usage_ms', checks.ms },
  { 'batch_share', checks.number(0, 1) },
  { 'user_in_flight', checks.integer(0, 1000000000) },  -- 0 = any
  { 'zone', checks.name },                   -- of the budgets' calendar
  { 'offsets', checks.body },                -- "from ms:ahead of UTC ms;...", see calendar.lua
}

-- The limits of every user and of the fleet; -1 = none, dollars in micro-dollars.
for _, name in ipairs(windows.GIVEN) do
  LIMITS[#LIMITS + 1] = { name, name }
  fleet_settings.TAKES[#fleet_settings.TAKES + 1] = { name, checks.limit }
end
for _, each in ipairs(LIMITS) do
  SHARED[#SHARED + 1] = each
end

-- The settings that hold and that this worker has otherwise, by name.
local function differing(given, of_these)
  local names = {}
  for _, each in ipairs(of_these) do
    local stored, name = each[1], each[2]
    if (tonumber(config.text(stored)) or config.text(stored)) ~= given[name] then
      names[#names + 1] = name
    end
  end
  return table.concat(names, ',')
end

local function rules(given, started_ms)
  local ruler = config.text('ruled_by')
  if ruler == '' or ruler == given.worker then
    return true
  end
  if started_ms > config.number('ruled_since') then
    return true
  end
  return not redis.call('ZSCORE', keys.workers(), ruler)
end

local function take_rule(given, started_ms)
  local values = { 'ruled_by', given.worker, 'ruled_since', started_ms }
  for _, each in ipairs(SHARED) do
    values[#values + 1] = each[1]
    values[#values + 1] = given[each[2]]
  end
  values[#values + 1] = 'offsets'
  values[#values + 1] = given.offsets
  local cap, other_limits = config.number('cap'), differing(given, LIMITS)
  config.set(unpack(values))
  if other_limits ~= '' then
    limits.given_anew()
  end
  if given.user_in_flight ~= cap then
    for _, user in ipairs(redis.call('HKEYS', keys.in_flight())) do
      rings.join_all(user)
    end
  end
end

-- A worker's own settings. Names those that it has otherwise than they hold.
function fleet_settings.share(given)
  local noted = redis.call('HGET', keys.worker_settings(), given.worker) or ''
  local own = call.now - given.age_ms
  local started_ms = tonumber(noted:match('^(%d+)')) or own
  if math.abs(started_ms - own) > SAME_START_MS then
    started_ms = own  -- another process under the name of one that died
  end
  local names = ''
  if rules(given, started_ms) then
    take_rule(given, started_ms)
  else
    names = differing(given, SHARED)
  end
  redis.call('HSET', keys.worker_settings(), given.worker, started_ms .. ' ' .. names)
  return names
end

return fleet_settings
