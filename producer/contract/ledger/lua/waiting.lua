-- Waiting: a job in its user's line, and jobs parked until a time or until something moves.
local waiting = {}

local HINT_LIFE_MS = 172800000
local WOKEN_AT_ONCE = 1000

function waiting.put_last(id)
  if not jobs.field(id, 'user') then
    return  -- its record is gone
  end
  local lane, user = jobs.field(id, 'lane'), jobs.field(id, 'user')
  local number = lanes.next_number(lane, user)
  jobs.set(id, 'state', 'waiting', 'since', call.now, 'no', number)
  redis.call('RPUSH', keys.waiting(lane, user), id)
  rings.join(lane, user)
end

function waiting.put_first(id)
  if not jobs.field(id, 'user') then
    return
  end
  local lane, user = jobs.field(id, 'lane'), jobs.field(id, 'user')
  jobs.set(id, 'state', 'waiting', 'since', call.now)
  jobs.remove(id, 'no')
  redis.call('LPUSH', keys.waiting(lane, user), id)
  rings.join(lane, user)
end

function waiting.park(id, delay_ms)
  jobs.set(id, 'state', 'parked')
  redis.call('ZADD', keys.parked(), call.now + delay_ms, id)
end

-- The links in "links:<name>;<name>"; nil if that is not what a job follows.
function waiting.links_of(what)
  local listed = what:match('^links:(.+)$')
  if not listed then
    return nil
  end
  local names = {}
  for name in listed:gmatch('[^;]+') do
    names[#names + 1] = name
  end
  return names
end

-- Names of limits that jobs may wait behind are kept, so that a call behind none sees it at once.
local function join_list(id, what)
  if what:sub(1, 6) == 'limit:' then
    redis.call('SADD', keys.behind(), what)
    redis.call('PEXPIRE', keys.behind(), HINT_LIFE_MS)
  end
  redis.call('RPUSH', keys.followers(what), id)
  redis.call('PEXPIRE', keys.followers(what), HINT_LIFE_MS)
end

-- Have `what` wake the parked job: "flight:<key>", "budget:<key>", "limit:<key>", "parts:<id>" or,
-- the first of them that is itself again, "links:<name>;<name>".
function waiting.follow(id, what)
  jobs.set(id, 'wakes_on', what)
  local names = waiting.links_of(what)
  if not names then
    join_list(id, what)
    return
  end
  for _, name in ipairs(names) do
    join_list(id, 'link:' .. name)
  end
end

-- Move up to `limit` of the jobs that follow `what` back into line, or until `is_enough(id)`.
function waiting.wake(what, limit, is_enough)
  local list = keys.followers(what)
  for _ = 1, limit do
    local id = redis.call('LPOP', list)
    if not id then
      return
    end
    if redis.call('ZREM', keys.parked(), id) == 1 then
      waiting.put_last(id)
      if is_enough and is_enough(id) then
        return
      end
    end
  end
end

-- Move jobs that follow `what` back to the heads of their lines, in the order in which they were
-- submitted. Those of a long list beyond the first are left to the next call.
function waiting.wake_in_order(what)
  local woken = {}
  for place, id in ipairs(redis.call('LPOP', keys.followers(what), WOKEN_AT_ONCE) or {}) do
    if redis.call('ZREM', keys.parked(), id) == 1 then
      woken[#woken + 1] = { id = id, place = place, at = jobs.number(id, 'at') }
    end
  end
  table.sort(woken, function(one, other)
    if one.at ~= other.at then
      return one.at > other.at
    end
    return one.place > other.place
  end)
  for _, each in ipairs(woken) do
    waiting.put_first(each.id)
  end
end

-- The job is the only one in its line, which waits for its turn and no more.
local function is_next(id)
  local lane, user = jobs.field(id, 'lane'), jobs.field(id, 'user')
  if jobs.state(id) ~= 'waiting' or lane ~= 'interactive' then
    return false
  end
  local alone = redis.call('LLEN', keys.waiting(lane, user)) == 1
  return alone and redis.call('ZSCORE', keys.ring(lane, ''), user)
end

-- Move jobs that follow `what` back into line until one of them is next there.
function waiting.wake_next(what)
  waiting.wake(what, WOKEN_AT_ONCE, is_next)
end

-- Take ids of jobs that do not wait from the head of a line, up to `limit`; how many there were.
function waiting.pass_over(lane, user, limit)
  local line = keys.waiting(lane, user)
  for passed = 0, limit - 1 do
    local id = redis.call('LINDEX', line, 0)
    if not id or jobs.state(id) == 'waiting' then
      return passed
    end
    redis.call('LPOP', line)
    if not lanes.has_line(lane, user) then
      rings.leave(lane, user)
      lanes.forget_line(lane, user)
    end
  end
  return limit
end

-- Promote up to `limit` parked jobs whose time has come; their ids.
function waiting.promote_due(limit)
  local due = redis.call('ZRANGEBYSCORE', keys.parked(), '-inf', call.now, 'LIMIT', 0, limit)
  for _, id in ipairs(due) do
    redis.call('ZREM', keys.parked(), id)
    waiting.put_last(id)
  end
  return due
end

return waiting
