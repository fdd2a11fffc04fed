-- Lanes: waiting jobs, one line per lane and user, released fairly over users by virtual time (start-time fair queueing): serving a
-- user moves their time on by 1/weight, the least time is next, and who returns after an absence starts at the lane's time.
-- Invariants kept here: ZCARD open = released + running = the sum of inf; a user is in a lane's ring exactly while a job of
-- theirs is in that line and they are below their cap.

local LANES = { 'interactive', 'batch' }
local MAX_RELEASES = 64        -- per call: more would block the server for milliseconds
local MAX_SKIPS = 1000         -- tombstones of cancelled jobs passed over per call
local TOMBSTONE = 0.05         -- virtual time that passing over one costs its user

local function line(lane, user) return key('w', lane, user) end
local function lane_time(lane) return tonumber(redis.call('HGET', key('cfg'), 'time:' .. lane) or '0') end

local function capped(user)
  local cap = redis.call('HGET', key('caps'), user) or redis.call('HGET', key('cfg'), 'cap')
  return cap and tonumber(cap) > 0 and tonumber(redis.call('HGET', key('inf'), user) or '0') >= tonumber(cap)
end

-- Enter the lane's ring, unless at the cap: then the end of one of the user's jobs does it.
local function join(lane, user)
  if capped(user) or redis.call('ZSCORE', key('ring', lane), user) then return end
  local own = tonumber(redis.call('ZSCORE', key('gone', lane), user) or '0')
  redis.call('ZADD', key('ring', lane), math.max(own, lane_time(lane)), user)
  redis.call('ZREM', key('gone', lane), user)
end

-- Leave the lane's ring; a virtual time ahead of the lane's is remembered.
local function leave(lane, user)
  local time = redis.call('ZSCORE', key('ring', lane), user)
  if not time then return end
  redis.call('ZREM', key('ring', lane), user)
  if tonumber(time) > lane_time(lane) then redis.call('ZADD', key('gone', lane), time, user) end
end

local function to_waiting(id, first)
  local lane, user = field(id, 'lane'), field(id, 'user')
  redis.call('HSET', job_key(id), 'state', 'waiting')
  if first then
    redis.call('HDEL', job_key(id), 'no')
    redis.call('LPUSH', line(lane, user), id)
  else
    redis.call('HSET', job_key(id), 'no', redis.call('HINCRBY', key('num'), lane .. ':' .. user, 1))
    redis.call('RPUSH', line(lane, user), id)
  end
  join(lane, user)
end

-- How many of the user's own jobs are before this waiting one: what is in line, less what came after it.
local function ahead(id)
  local lane, user, no = field(id, 'lane'), field(id, 'user'), number(id, 'no')
  if no == 0 then return 0 end
  local after = tonumber(redis.call('HGET', key('num'), lane .. ':' .. user) or no) - no
  return math.max(0, redis.call('LLEN', line(lane, user)) - 1 - after)
end

-- The next job of a lane, or nil; `skips.left` tombstones may be passed over.
local function take(lane, skips)
  while skips.left > 0 do
    local next_up = redis.call('ZRANGE', key('ring', lane), 0, 0, 'WITHSCORES')
    local user, time = next_up[1], tonumber(next_up[2])
    if not user then return nil end
    if time > lane_time(lane) then redis.call('HSET', key('cfg'), 'time:' .. lane, next_up[2]) end
    local id = redis.call('LPOP', line(lane, user))
    local waits = id and field(id, 'state') == 'waiting'
    if waits then
      time = time + 1 / tonumber(redis.call('HGET', key('wt'), user) or '1')
      redis.call('HINCRBY', key('inf'), user, 1)
    else
      time = time + TOMBSTONE
      skips.left = skips.left - 1
    end
    redis.call('ZADD', key('ring', lane), time, user)
    if redis.call('EXISTS', line(lane, user)) == 0 then
      redis.call('HDEL', key('num'), lane .. ':' .. user)
      leave(lane, user)
    end
    if capped(user) then
      for _, each in ipairs(LANES) do leave(each, user) end
    end
    if waits then return id end
  end
end

-- Interactive before batch; but batch gets its share while both wait.
local function next_waiting(skips)
  local first, second = LANES[1], LANES[2]
  if redis.call('EXISTS', key('ring', first)) == 1 and redis.call('EXISTS', key('ring', second)) == 1 then
    local share = redis.call('HGET', key('cfg'), 'share') or '0.1'
    if tonumber(redis.call('HINCRBYFLOAT', key('cfg'), 'owed', share)) >= 1 then
      redis.call('HINCRBYFLOAT', key('cfg'), 'owed', -1)
      first, second = second, first
    end
  end
  return take(first, skips) or take(second, skips)
end

-- Hand waiting jobs to the broker while the fleet has room.
local function release(out)
  local room = tonumber(redis.call('HGET', key('cfg'), 'target') or '2') - redis.call('ZCARD', key('open'))
  local skips = { left = MAX_SKIPS }
  for _ = 1, math.min(room, MAX_RELEASES) do
    local id = next_waiting(skips)
    if not id then break end
    local turn = redis.call('HINCRBY', key('seq'), field(id, 'lane'), 1)
    redis.call('HSET', job_key(id), 'state', 'released', 'turn', turn)
    redis.call('ZADD', key('open'), now + GRACE_MS, id)
    order(out, id)
  end
  return out
end

-- The job is no longer released or running: its user has one less in flight, and may join again.
local function shut(id)
  if redis.call('ZREM', key('open'), id) == 0 then return end
  local user = field(id, 'user')
  if redis.call('HINCRBY', key('inf'), user, -1) <= 0 then redis.call('HDEL', key('inf'), user) end
  for _, lane in ipairs(LANES) do
    if redis.call('EXISTS', line(lane, user)) == 1 then join(lane, user) end
  end
end

-- Move up to `limit` of the jobs parked behind `what` back into line.
local function wake(what, limit)
  local list = key('f', what)
  for _ = 1, limit do
    local id = redis.call('LPOP', list)
    if not id then return end
    if redis.call('ZREM', key('park'), id) == 1 then to_waiting(id) end
  end
end

