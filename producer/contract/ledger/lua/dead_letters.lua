-- Dead letters: what is needed to understand a failed job and to send its request again.
local dead_letters = {}

local LIFE_MS = 604800000  -- until a worker has said otherwise

-- Failures that are the caller's or the budget's doing, or were asked for, leave none.
local LEAVES_NONE = {
  RateLimited = true, BudgetExceeded = true, InvalidRequest = true, Cancelled = true,
}

function dead_letters.life_ms()
  return config.number('dead_ms', LIFE_MS)
end

-- Whether the failure leaves one.
function dead_letters.write(id, kind, outcome)
  local life_ms = dead_letters.life_ms()
  if life_ms <= 0 or LEAVES_NONE[kind] then
    return false
  end
  local key = keys.dead_letter(id)
  redis.call(
    'HSET', key,
    'user', jobs.field(id, 'user'),
    'lane', jobs.field(id, 'lane'),
    'tried', jobs.field(id, 'tried') or '',
    'attempts', jobs.number(id, 'attempts'),
    'unknown', jobs.number(id, 'unknown'),
    'at', jobs.field(id, 'at'),
    'ended', call.now,
    'kind', kind,
    'outcome', outcome,
    'request', redis.call('GET', requests.key(id)) or ''
  )
  redis.call('PEXPIRE', key, life_ms)
  redis.call('ZADD', keys.dead(), call.now, id)
  redis.call('ZREMRANGEBYSCORE', keys.dead(), '-inf', call.now - life_ms)
  return true
end

function dead_letters.note_replay(id, replay)
  local key = keys.dead_letter(id)
  if redis.call('EXISTS', key) == 1 then
    redis.call('HSET', key, 'replayed', replay)
  end
end

-- Forget it if it is this user's.
function dead_letters.forget(id, user)
  local key = keys.dead_letter(id)
  if redis.call('HGET', key, 'user') == user then
    redis.call('DEL', key)
    redis.call('ZREM', keys.dead(), id)
  end
end

return dead_letters
