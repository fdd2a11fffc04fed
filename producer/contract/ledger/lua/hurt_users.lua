-- Hurt users: of how many different users jobs ended, failed or were refused by a limit, by minute.
-- Estimates: HyperLogLog, with a standard error of 0.81 %.
local hurt_users = {}

local MINUTE_MS = 60000
local LIFE_MS = 4200000  -- the longest window of health, an hour, and ten minutes

-- Of whose making an error is. Those that are not here are the service's.
local MAKERS = {
  RateLimited = 'limit', BudgetExceeded = 'limit',
  InvalidRequest = 'caller', Cancelled = 'caller', Conflict = 'caller', TooLong = 'caller',
  Truncated = 'caller', Refused = 'caller', Filtered = 'caller',
}

-- 'caller', 'limit' or 'service'. A job that waited for a limit of its own until its deadline had
-- passed was asked to.
function hurt_users.maker(id, kind)
  local waited_for = jobs.field(id, 'wakes_on') or ''
  if kind == 'DeadlineExceeded' and (waited_for:match('^budget:') or waited_for:match('^limit:'))
  then
    return 'caller'
  end
  return MAKERS[kind] or 'service'
end

local function add(what, user)
  local key = keys.hurt_users(what, math.floor(call.now / MINUTE_MS))
  if redis.call('PFADD', key, user) == 1 then
    redis.call('PEXPIRE', key, LIFE_MS)
  end
end

-- A job ended. `maker` of its error, nil for an answer; who cancels is not served and not hurt.
function hurt_users.ended(user, maker)
  if maker ~= 'caller' then
    add('ended', user)
  end
  if maker == 'limit' then
    add('refused', user)
  elseif maker == 'service' then
    add('failed', user)
  end
end

-- In a window that ends now: {users whose jobs ended, failed, were refused}.
function hurt_users.counts(window_ms)
  local last = math.floor(call.now / MINUTE_MS)
  local first = math.floor((call.now - window_ms) / MINUTE_MS)
  local found = {}
  for i, what in ipairs({ 'ended', 'failed', 'refused' }) do
    local minutes = {}
    for minute = first, last do
      minutes[#minutes + 1] = keys.hurt_users(what, minute)
    end
    found[i] = redis.call('PFCOUNT', unpack(minutes))
  end
  return found
end

return hurt_users
