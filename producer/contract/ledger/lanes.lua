-- Lanes: waiting jobs, one line per lane and user, released fairly over users by virtual time (start-time fair queueing): serving a
-- user moves their time on by 1/weight, the least time is next, and who returns after an absence starts at the ring's time.
-- A line whose next job found no room at its link waits in that link's own ring, which is served as the link's pace allows.
-- Invariants kept here: ZCARD open = released + running = the sum of inf; a user is in one of a lane's rings exactly while a job
-- of theirs is in that line and neither they nor their group are at their cap; who waits for their group's cap is on its bench.

local LANES = { 'interactive', 'batch' }
local MAX_RELEASES = 64        -- per call: more would block the server for milliseconds
local MAX_SKIPS = 1000         -- tombstones of cancelled jobs, and users at their group's cap, passed over per call
local TOMBSTONE = 0.05         -- virtual time that passing over one costs its user

local function line(lane, user) return key('w', lane, user) end
local function ring(lane, link) return link == '' and key('ring', lane) or key('ring', lane, link) end
local function gone(lane, link) return link == '' and key('gone', lane) or key('gone', lane, link) end
local function config(...) return tonumber(redis.call('HGET', key('cfg'), table.concat({...}, ':')) or '0') end
local function gates() return redis.call('SMEMBERS', key('gates')) end

-- The link that a line waits for, '' = none.
local function gate_of(lane, user) return redis.call('HGET', key('gated'), lane .. ':' .. user) or '' end

local function at_cap(kind, name, in_flight, fallback)
  local cap = tonumber(redis.call('HGET', key('lim', kind, name), 'in_flight') or fallback or '0')
  return cap > 0 and tonumber(redis.call('HGET', key(in_flight), name) or '0') >= cap
end

local function group_at_cap(user)
  local group = redis.call('HGET', key('lim', 'user', user), 'group')
  return group and at_cap('group', group, 'infg') and group
end

-- Whether a user may have no more in flight; if it is for their group's cap, the end of any of its jobs brings them back.
local function capped(user)
  if at_cap('user', user, 'inf', redis.call('HGET', key('cfg'), 'cap')) then return true end
  local group = group_at_cap(user)
  if not group then return false end
  redis.call('ZADD', key('bench', group), 'NX', redis.call('HINCRBY', key('seq'), 'benched', 1), user)
  redis.call('SADD', key('benches'), group)
  return true
end

-- Enter the ring of the line, unless at the cap: then the end of one of the user's jobs does it.
local function join(lane, user)
  local link = gate_of(lane, user)
  if redis.call('ZSCORE', ring(lane, link), user) or capped(user) then return end
  local own = tonumber(redis.call('ZSCORE', gone(lane, link), user) or '0')
  redis.call('ZADD', ring(lane, link), math.max(own, config('time', lane, link)), user)
  redis.call('ZREM', gone(lane, link), user)
  local group = redis.call('HGET', key('lim', 'user', user), 'group')
  if group then redis.call('ZREM', key('bench', group), user) end
  if link ~= '' then redis.call('SADD', key('gates'), link) end
end

-- Leave the ring of the line; a virtual time ahead of the ring's is remembered.
local function leave(lane, user)
  local link = gate_of(lane, user)
  local time = redis.call('ZSCORE', ring(lane, link), user)
  if not time then return end
  redis.call('ZREM', ring(lane, link), user)
  if tonumber(time) > config('time', lane, link) then redis.call('ZADD', gone(lane, link), time, user) end
end

local function join_all(user)
  local waits = false
  for _, lane in ipairs(LANES) do
    if redis.call('EXISTS', line(lane, user)) == 1 then
      waits = true
      join(lane, user)
    end
  end
  return waits
end

-- From now on the line waits for room at `link`; '' = for nothing but its turn.
local function gate(lane, user, link)
  if gate_of(lane, user) == link then return end
  leave(lane, user)
  if link == '' then
    redis.call('HDEL', key('gated'), lane .. ':' .. user)
  else
    redis.call('HSET', key('gated'), lane .. ':' .. user, link)
  end
  if redis.call('EXISTS', line(lane, user)) == 1 then join(lane, user) end
end

local function to_waiting(id, first)
  local lane, user = field(id, 'lane'), field(id, 'user')
  redis.call('HSET', job_key(id), 'state', 'waiting', 'since', now)
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

-- How many users wait in a lane, each for their turn or for a link.
local function waiting_users(lane)
  local users = redis.call('ZCARD', ring(lane, ''))
  for _, link in ipairs(gates()) do users = users + redis.call('ZCARD', ring(lane, link)) end
  return users
end

-- A gated line may move: its link has room, or is in such trouble that the jobs must decide for themselves.
local function is_open(link)
  local pace = pace_of(link)
  return pace.half or cooling(pace) > 0 or pause(pace, expected(pace)) == 0
end

-- The ring of a lane to serve next and, if it has rivals, its turn: rings too are served by virtual time, each weighing as much as
-- it has users. Nil if no ring has anybody to serve.
local function pick(lane)
  local open = {}
  if redis.call('EXISTS', ring(lane, '')) == 1 then open[1] = '' end
  for _, link in ipairs(gates()) do
    if redis.call('EXISTS', ring(lane, link)) == 1 and is_open(link) then open[#open + 1] = link end
  end
  if #open <= 1 then return open[1] end
  local chosen, turn
  for _, link in ipairs(open) do
    local own = math.max(config('turn', lane), config('turn', lane, link))
    if not turn or own < turn then chosen, turn = link, own end
  end
  return chosen, turn
end

local finish                   -- money.lua

-- A part of a document whose own job has ended meanwhile is wanted by nobody.
local function orphan(id)
  local parent = field(id, 'parent')
  if not parent or not FINAL[field(parent, 'state') or 'done'] then return false end
  finish(id, 'cancelled', CANCELLED)
  return true
end

-- An item of a batch that was paused meanwhile goes back to it.
local function recall(id)
  local batch = field(id, 'batch')
  if not batch or redis.call('HGET', key('b', batch), 'state') ~= 'paused' then return false end
  redis.call('HSET', job_key(id), 'state', 'staged')
  redis.call('LPUSH', key('bw', batch), id)
  redis.call('SREM', key('bl', batch), id)
  return true
end

-- Serve the next user of a ring: the id of a job, or nil if they had none to serve.
local function take(lane, link, turn)
  local head = redis.call('ZRANGE', ring(lane, link), 0, 0, 'WITHSCORES')
  local user, time = head[1], tonumber(head[2])
  if group_at_cap(user) then
    for _, each in ipairs(LANES) do leave(each, user) end
    capped(user)
    return nil
  end
  local users = redis.call('ZCARD', ring(lane, link))
  if time > config('time', lane, link) then redis.call('HSET', key('cfg'), 'time:' .. lane .. ':' .. link, head[2]) end
  local id = redis.call('LPOP', line(lane, user))
  local waits = id and field(id, 'state') == 'waiting' and not recall(id) and not orphan(id)
  if waits then
    local group = field(id, 'group')
    redis.call('HINCRBY', key('inf'), user, 1)
    if group then redis.call('HINCRBY', key('infg'), group, 1) end
    if turn then redis.call('HSET', key('cfg'), 'turn:' .. lane, turn, 'turn:' .. lane .. ':' .. link, turn + 1 / users) end
  end
  local step = waits and 1 / tonumber(redis.call('HGET', key('lim', 'user', user), 'weight') or '1') or TOMBSTONE
  redis.call('ZADD', ring(lane, link), time + step, user)
  if redis.call('EXISTS', line(lane, user)) == 0 then
    leave(lane, user)
    redis.call('HDEL', key('num'), lane .. ':' .. user)
    redis.call('HDEL', key('gated'), lane .. ':' .. user)
  end
  if capped(user) then
    for _, each in ipairs(LANES) do leave(each, user) end
  end
  local pace = waits and link ~= '' and pace_of(link)
  if pace and not pace.half and cooling(pace) == 0 then grant(id, pace) end
  return waits and id
end

-- Interactive before batch; but batch gets its share while both wait.
local function next_waiting(skips)
  while skips.left > 0 do
    local lane, link, turn = LANES[1], pick(LANES[1])
    local other, other_turn = pick(LANES[2])
    local share = link and other and tonumber(redis.call('HGET', key('cfg'), 'share') or '0.1')
    local owed = share and config('owed') + share
    if not link or share and owed >= 1 then lane, link, turn = LANES[2], other, other_turn end
    if not link then return nil end
    local id = take(lane, link, turn)
    if id then
      if share then redis.call('HSET', key('cfg'), 'owed', lane == LANES[2] and owed - 1 or owed) end
      return id
    end
    skips.left = skips.left - 1
  end
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

-- The group may have one more in flight: who waits for that longest, and still has something to do, joins.
local function unbench(group)
  for _ = 1, MAX_RELEASES do
    local user = redis.call('ZPOPMIN', key('bench', group))[1]
    if not user then return redis.call('SREM', key('benches'), group) end
    if join_all(user) then return end
  end
end

local function less_in_flight(name, of)
  if redis.call('HINCRBY', key(name), of, -1) <= 0 then redis.call('HDEL', key(name), of) end
end

-- The job is no longer released or running: its user and group have one less in flight, and may join again.
local function shut(id)
  if redis.call('ZREM', key('open'), id) == 0 then return end
  ungrant(id)
  local user, group = field(id, 'user'), field(id, 'group')
  less_in_flight('inf', user)
  join_all(user)
  if group then
    less_in_flight('infg', group)
    unbench(group)
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
