-- Say that a worker lives, with how many slots and by which settings.
-- Keeps: target of released + running = live slots + max(2, a quarter of them); where workers'
-- settings of the fleet differ, those of the one that started last hold.
local LEAST_SPARE = 2
local SAME_START_MS = 5000

local SHARED = {
  { 'ttl', 'outcome_ms' },
  { 'dead_ms', 'dead_letter_ms' },
  { 'usage_ms', 'usage_ms' },
  { 'share', 'batch_share' },
  { 'cap', 'user_in_flight' },
}

local function forget(worker)
  redis.call('ZREM', keys.workers(), worker)
  redis.call('HDEL', keys.slots(), worker)
  redis.call('HDEL', keys.skews(), worker)
  redis.call('HDEL', keys.worker_settings(), worker)
  redis.call('HDEL', keys.worker_clocks(), worker)
end

local function forget_dead()
  for _, worker in ipairs(redis.call('ZRANGEBYSCORE', keys.workers(), '-inf', call.now)) do
    forget(worker)
  end
end

local function set_target()
  local slots = 0
  for _, each in ipairs(redis.call('HVALS', keys.slots())) do
    slots = slots + tonumber(each)
  end
  local target = slots + math.max(LEAST_SPARE, math.floor(slots / 4))
  config.set('target', target)
end

-- The settings that hold and that this worker has otherwise, by name.
local function differing(given)
  local names = {}
  for _, each in ipairs(SHARED) do
    local stored, name = each[1], each[2]
    if config.number(stored, -1) ~= given[name] then
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
  local cap = config.number('cap')
  config.set(unpack(values))
  if given.user_in_flight ~= cap then
    for _, user in ipairs(redis.call('HKEYS', keys.in_flight())) do
      rings.join_all(user)
    end
  end
end

-- What this worker has otherwise than the settings that hold.
local function share_settings(given)
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
    names = differing(given)
  end
  redis.call('HSET', keys.worker_settings(), given.worker, started_ms .. ' ' .. names)
  return names
end

return {
  takes = {
    { 'worker', checks.name },
    { 'process', checks.name },               -- of the worker: another one after each start
    { 'slots', checks.integer(0, 1000000) },  -- 0: it is leaving
    { 'life_ms', checks.ms },                 -- of this heartbeat
    { 'age_ms', checks.ms },                  -- since the worker's process started
    { 'clock_ms', checks.count },             -- the worker's own
    { 'library', checks.name },               -- of functions that it calls
    { 'outcome_ms', checks.life_ms },
    { 'dead_letter_ms', checks.ms },
    { 'usage_ms', checks.ms },
    { 'batch_share', checks.number(0, 1) },
    { 'user_in_flight', checks.integer(0, 1000000000) },  -- 0 = any
  },
  -- ruled_by: the worker whose settings hold; unneeded: libraries to delete.
  gives = { 'ruled_by', 'differing', 'unneeded' },
  run = function(given)
    local names = ''
    if given.slots > 0 then
      clock.watch(given.worker, given.process, given.age_ms)
      redis.call('ZADD', keys.workers(), call.now + given.life_ms, given.worker)
      redis.call('HSET', keys.slots(), given.worker, given.slots)
      redis.call('HSET', keys.skews(), given.worker, given.clock_ms - call.now)
      forget_dead()
      names = share_settings(given)
      libraries.note_worker(given.library, given.life_ms)
    else
      forget(given.worker)
      forget_dead()
    end
    set_target()
    return {
      ruled_by = config.text('ruled_by'),
      differing = names,
      unneeded = libraries.take_unneeded(),
    }
  end,
}
