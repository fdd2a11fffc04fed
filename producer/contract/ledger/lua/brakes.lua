-- Brakes: the rate at which a provider link is called after a 429, where its limit is not known.
-- AIMD by what was answered, not by halves: calls answered in the last minute are what a limit per
-- minute allows. If nothing is answered, the link is only tried, ever more seldom. A few refusals
-- that stay when calls become fewer do not depend on their number, and are no limit.
-- `benchmarks/pace.py --blind` measures it.
local brakes = {}

local BACK = 0.95        -- of what was answered
local DOWN = 0.85        -- of the rate, where less was answered than fitted before
local FITS = 0.85        -- of what fitted before: the limit is still that
local IN_A_ROW = 3       -- refusals without an answer: nothing is answered now
local SHORT_MS = 5000    -- without an answer: a limit on calls at once; longer: one per minute
local TRIED_MS = 500     -- until the first try, twice as long each time
local SELDOM_MS = 10000
local FEW = 0.1          -- refused of all calls
local FEWER = 0.6        -- of the first rate
local FREE_MS = 600000   -- so long such refusals are borne
local FORGET_MS = 300000
local SLOWEST = 6        -- calls per minute
local GROWTH = 0.002     -- of the rate, per second; cubic later, as CUBIC (RFC 9438) has it
local CUBIC_S = 100

-- rate, at: calls per minute since a time; top: what fitted; minute: answered in the minute before
-- the first refusal; fine: answered since; row: refusals without an answer; dead, dead_at: tries
-- since nothing is answered; is_window: the limit is one per minute; free: until when refusals are
-- borne.
local function read(link)
  if link.braking == nil then
    link.braking = link.brake and cjson.decode(link.brake) or {}
    for _, field in ipairs({ 'at', 'dead_at' }) do
      local ms = link.braking[field]
      link.braking[field] = ms and math.min(ms, call.now)
    end
  end
  return link.braking
end

local function write(link)
  link.brake = cjson.encode(link.braking)
end

-- Calls per minute; nil = any.
function brakes.rate(link)
  local brake = read(link)
  if not brake.rate or brake.dead then
    return brake.rate
  end
  local since_ms = call.now - brake.at
  if since_ms > FORGET_MS then
    return nil
  end
  local since_s = since_ms / 1000
  return brake.rate * (1 + GROWTH * since_s + (since_s / CUBIC_S) ^ 3)
end

local function set(link, rate, top)
  local brake = link.braking
  brake.rate, brake.at, brake.fine = math.max(SLOWEST, rate), call.now, nil
  brake.top = top or brake.top
  link.request_room = math.min(0, link.request_room or 0)
end

local function try_seldom(link, minute)
  local brake = link.braking
  if not brake.dead then
    brake.dead, brake.dead_at = 0, call.now
    brake.minute = math.max(brake.minute, minute)
  end
  brake.dead = brake.dead + 1
  set(link, 60000 / math.min(SELDOM_MS, TRIED_MS * 2 ^ brake.dead))
end

local function adapt(link, share)
  local brake = link.braking
  local minute = call_counts.answered_in_a_minute(link)
  if not link.rate or not brake.rate then
    local lately = call_counts.answered_lately(link)
    brake.minute, brake.row, link.request_room = minute, 0, 0
    set(link, BACK * lately, lately)
  elseif minute >= FITS * brake.top and brake.row < IN_A_ROW and not brake.dead then
    set(link, BACK * minute, minute)
  elseif brake.dead or brake.row >= IN_A_ROW then
    try_seldom(link, minute)
  elseif not brake.fine then
    return
  elseif share < FEW and link.rate <= FEWER * brake.top then
    link.braking = { free = call.now + FREE_MS }
  else
    set(link, DOWN * link.rate)
  end
end

-- A call that was sent then got a 429. One to a call from before the last change says nothing new.
function brakes.refused(link, sent_ms)
  local brake, share = read(link), call_counts.add_refused(link)
  if brake.free and brake.free > call.now and share < 2 * FEW then
    return
  end
  brake.free = nil
  if brake.rate and sent_ms <= brake.at then
    return
  end
  if not brake.fine then
    brake.row = (brake.row or 0) + 1
  end
  adapt(link, share)
  write(link)
end

-- A call that was sent then was answered.
function brakes.answered(link, sent_ms)
  local brake = read(link)
  if not brake.rate or sent_ms <= brake.at or (brake.fine and brake.row == 0) then
    return
  end
  brake.fine, brake.row = true, 0
  if brake.dead then
    if call.now - brake.dead_at > SHORT_MS then
      brake.is_window = true
    elseif brake.is_window then
      brake.minute = call_counts.answered_in_a_minute(link)
    end
    brake.dead = nil
    local top = brake.is_window and brake.minute or brake.top / 2
    set(link, brake.is_window and BACK * top or top, top)
  end
  write(link)
end

return brakes
