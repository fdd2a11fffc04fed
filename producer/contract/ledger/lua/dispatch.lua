-- Dispatch: hand waiting jobs to the broker while the fleet has room, fairly over users.
local dispatch = {}

dispatch.GRACE_MS = 2000   -- a released job not begun by then is looked at by the sweep
local MOST_RELEASED = 64   -- per call: more would block the server for milliseconds
local MOST_SKIPPED = 1000  -- cancelled jobs, and users at their group's cap, passed over per call
local SKIP_STEP = 0.05     -- virtual time that passing over one costs its user
local BATCH_SHARE = 0.1

-- The user's virtual time is now `time`: stay in the ring with it, or leave with it.
local function move_on(lane, ring, user, time)
  if lanes.has_line(lane, user) then
    redis.call('ZADD', ring, time, user)
  else
    rings.leave(lane, user, time)
    lanes.forget_line(lane, user)
  end
  if caps.is_capped(user) then
    rings.leave_all(user)
  end
end

local function give_grant(id, link)
  if link == '' then
    return
  end
  local found = pace.of(link)
  if circuits.is_closed(found) then
    grants.give(id, found)
  end
end

-- What a job waited for a cap says nothing of the fleet: more workers would not shorten it.
local function note_wait_for_cap(id)
  local back = lanes.returned_at(id)
  if back > 0 then
    jobs.add(id, 'own', math.max(0, back - jobs.number(id, 'since')))
  end
end

-- Serve the next user of a ring: the id of a job, or nil if they had none to serve.
local function take(lane, link, turn, skips)
  local ring = keys.ring(lane, link)
  local user, time = unpack(redis.call('ZRANGE', ring, 0, 0, 'WITHSCORES'))
  local full = caps.full_group_of(user)
  if full then
    rings.leave_all(user)
    caps.sit_on_bench(full, user)
    return nil
  end
  if tonumber(time) > rings.time(lane, link) then
    rings.set_time(lane, link, time)
  end
  local id, passed = heads.take(lane, user, skips.left)
  skips.left = skips.left - passed
  local step = SKIP_STEP * passed
  if id then
    step = step + 1 / caps.weight_of(user)
    caps.one_more(id)
    note_wait_for_cap(id)
  end
  if id and turn then
    local users = redis.call('ZCARD', ring)
    rings.set_turn(lane, link, turn, turn + 1 / users)
  end
  move_on(lane, ring, user, time + step)
  if id then
    give_grant(id, link)
  end
  return id
end

-- The ring of a lane to serve next and its turn, if the lane has room.
local function pick(lane, room)
  if room[lane] > 0 then
    return rotation.pick(lane)
  end
end

-- Interactive before batch; but batch gets its share while both wait.
local function next_waiting(skips, room)
  local interactive, batch = unpack(lanes.ALL)
  while skips.left > 0 do
    local lane = interactive
    local link, turn = pick(interactive, room)
    local other, other_turn = pick(batch, room)
    local both = link and other
    local owed = 0
    if both then
      owed = config.number('owed') + config.number('share', BATCH_SHARE)
    end
    if not link or owed >= 1 then
      lane, link, turn = batch, other, other_turn
      owed = owed - 1
    end
    if not link then
      return nil
    end
    local id = take(lane, link, turn, skips)
    if id then
      if both then
        config.set('owed', owed)
      end
      return id
    end
    skips.left = skips.left - 1
  end
end

-- Releases what there is room for, and adds it to `list`. Returns the list.
function dispatch.fill(list)
  if not rings.any_waits() then
    return list
  end
  local left, room = capacity.room()
  local skips = { left = MOST_SKIPPED }
  for number = 1, math.min(left, MOST_RELEASED) do
    local id = (number == 1 or rings.any_waits()) and next_waiting(skips, room)
    if not id then
      break
    end
    local lane = jobs.field(id, 'lane')
    room[lane] = room[lane] - 1
    local turn = redis.call('HINCRBY', keys.sequence(), lane, 1)
    jobs.set(id, 'state', 'released', 'turn', turn, 'out', call.now)
    open_jobs.add(id, call.now + dispatch.GRACE_MS)
    publications.add(list, id)
  end
  return list
end

return dispatch
