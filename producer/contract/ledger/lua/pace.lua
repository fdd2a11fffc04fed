-- Pace: what the whole fleet may send to a provider link, and what it has learnt of its calls.
-- Invariant: `out` = open attempts on the link + grants not used yet.
local pace = {}

pace.LOOK_MS = 1000        -- a wait for what cannot be foreseen; its end releases sooner
local LIFE_MS = 604800000  -- a link that is not called for a week is forgotten

-- own_*: the operator's limits; requests, tokens: the provider's; *_room, at: the buckets; brake:
-- see brakes; window, sent, refused, before, past: see call_counts; real, worst, answers: what
-- calls took; median: how long, in ms; circuit, probe and trouble: see circuits and evidence;
-- expires: when a limit that only a 429 told is forgotten.
local FIELDS = {
  'own_requests', 'own_tokens', 'own_calls', 'requests', 'tokens', 'request_room', 'token_room',
  'at', 'out', 'brake', 'window', 'sent', 'refused', 'before', 'past', 'real', 'worst', 'answers',
  'median', 'circuit', 'probe', 'trouble', 'expires',
}
local TEXTS = { brake = true, past = true, circuit = true, probe = true, trouble = true }

local function least(a, b)
  if a and b then
    return math.min(a, b)
  end
  return a or b
end

pace.least = least

-- What lies ahead was written before the server's clock was set back.
local function forget_what_is_ahead(link)
  link.at = math.min(link.at or call.now, call.now)
  if link.window and link.window > call.now then
    link.window = nil
  end
end

local function fill(link)
  local since_ms = call.now - link.at
  link.rate = least(least(link.own_requests, link.requests), brakes.rate(link))
  link.token_rate = least(link.own_tokens, link.tokens)
  if link.rate then
    link.request_room, link.request_most =
      buckets.refilled(link.request_room, link.rate, since_ms)
  end
  if link.token_rate then
    link.token_room, link.token_most =
      buckets.refilled(link.token_room, link.token_rate, since_ms)
  end
  link.at = call.now
end

-- A link's pace as of now, one table per link and call. `own`: the operator's limits, where the
-- caller knows them: name -> number, or false for none.
function pace.of(name, own)
  local key = keys.pace(name)
  if call.memory[key] then
    return call.memory[key]
  end
  local flat = redis.call('HGETALL', key)  -- most links have few of the fields
  local link = { name = name, stored = {} }
  for i = 1, #flat, 2 do
    local field, value = flat[i], flat[i + 1]
    value = TEXTS[field] and value or tonumber(value)
    link.stored[field] = value
    link[field] = value
  end
  for field, limit in pairs(own or {}) do
    link[field] = limit or nil
  end
  if link.expires and link.expires <= call.now then
    link.requests, link.tokens, link.expires = nil, nil, nil
  end
  link.out = link.out or 0
  forget_what_is_ahead(link)
  call_counts.turn(link)
  fill(link)
  call.memory[key] = link
  return link
end

-- Writes what changed.
function pace.save(link)
  local changed, gone, stored = {}, {}, link.stored
  for _, field in ipairs(FIELDS) do
    local value = link[field]
    if value ~= stored[field] then
      if value == nil then
        gone[#gone + 1] = field
      else
        changed[#changed + 1] = field
        changed[#changed + 1] = value
      end
      stored[field] = value
    end
  end
  local key = keys.pace(link.name)
  if #changed > 0 then
    redis.call('HSET', key, unpack(changed))
  end
  if link.turned then
    redis.call('PEXPIRE', key, LIFE_MS)
    link.turned = nil
  end
  if #gone > 0 then
    redis.call('HDEL', key, unpack(gone))
  end
end

return pace
