-- Pace: what the whole fleet may send to a link. Requests and tokens per minute are token buckets that refill at 98 % of the limit
-- and hold 2 % of it, so that no minute, wherever it begins, has more than the limit; calls at once are counted. A 429 halves the
-- rate of requests, which then grows every second by a fifth of that half and one more. After a cooldown one call, the probe,
-- goes first.
-- Invariant kept here: `out` = open attempts on the link + grants not used yet.

local SHARE, GROWTH = 0.98, 0.2
local FORGET_MS = 60000        -- after so long without another 429 a halved rate limits nobody whose limit is unknown
local SLOWEST = 6              -- requests per minute
local LOOK_MS = 1000           -- the wait for what nobody can foresee; its end releases sooner
local WINDOW_MS = 10000        -- in which calls are counted, for links whose limit is not known
local DECAY = 0.98             -- how much of what was learnt of a call's tokens is kept per answer

local FIELDS = { 'own_requests', 'own_tokens', 'own_calls', 'requests', 'tokens', 'request_room', 'token_room', 'at', 'out', 'half',
                 'slow', 'slow_at', 'window', 'sent', 'before', 'real', 'worst', 'answers' }
local paces = {}

local function least(a, b) return a and b and math.min(a, b) or a or b end

-- Requests per minute, nil = any: the limit, or less for a while after a 429.
local function request_rate(pace)
  local limit = least(pace.own_requests, pace.requests)
  if not pace.slow then return limit end
  local grown = pace.slow + (GROWTH * pace.slow + 60) * (now - pace.slow_at) / 1000
  if now - pace.slow_at > FORGET_MS then return limit end
  return least(limit, grown)
end

-- What a bucket holds now and at most.
local function refill(room, rate, at)
  local most = math.max(1, (1 - SHARE) * rate)
  return math.min(most, (room or most) + SHARE * rate * (now - at) / 60000), most
end

-- A link's pace as of now; one table per link and script. `own`: the operator's limits as of now, false = none.
local function pace_of(link, own)
  if paces[link] then return paces[link] end
  local stored = redis.call('HMGET', key('pace', link), 'probe', unpack(FIELDS))
  local pace = { link = link, stored = stored, probe = stored[1] or nil }
  for i, name in ipairs(FIELDS) do pace[name] = tonumber(stored[i + 1]) end
  for name, limit in pairs(own or {}) do pace[name] = limit or nil end
  pace.out, pace.at = pace.out or 0, pace.at or now
  local past = math.floor((now - (pace.window or 0)) / WINDOW_MS)
  if past > 0 then
    pace.before, pace.sent, pace.window = past == 1 and pace.sent or 0, 0, pace.window and past == 1 and pace.window + WINDOW_MS or now
  end
  pace.rate, pace.token_rate = request_rate(pace), least(pace.own_tokens, pace.tokens)
  if pace.rate then pace.request_room, pace.request_most = refill(pace.request_room, pace.rate, pace.at) end
  if pace.token_rate then pace.token_room, pace.token_most = refill(pace.token_room, pace.token_rate, pace.at) end
  pace.at = now
  paces[link] = pace
  return pace
end

local function save(pace)
  local flat = {}
  for i, name in ipairs({ 'probe', unpack(FIELDS) }) do
    local value = pace[name]
    if value ~= nil then
      flat[#flat + 1] = name
      flat[#flat + 1] = type(value) == 'number' and string.format('%.14g', value) or value
    elseif pace.stored[i] then
      redis.call('HDEL', key('pace', pace.link), name)
    end
  end
  redis.call('HSET', key('pace', pace.link), unpack(flat))
  redis.call('PEXPIRE', key('pace', pace.link), 604800000)
end

-- Milliseconds for which a link is left alone, and the wait list its end wakes: it cools down, or its probe is on the wire.
local function cooling(pace)
  local ttl = redis.call('PTTL', key('cool', pace.link))
  if ttl > 0 then return ttl, '' end
  if pace.half and pace.probe then return 5 * LOOK_MS, 'link:' .. pace.link end
  return 0, ''
end

local function lack(room, most, rate, cost) return math.max(0, math.ceil((math.min(cost, most) - room) / (SHARE * rate) * 60000)) end

-- Milliseconds until a link may take a call of so many tokens; 0 = now.
local function pause(pace, tokens)
  if pace.own_calls and pace.out >= pace.own_calls then return LOOK_MS end
  local wait = pace.rate and lack(pace.request_room, pace.request_most, pace.rate, 1) or 0
  return math.max(wait, pace.token_rate and lack(pace.token_room, pace.token_most, pace.token_rate, tokens) or 0)
end

-- The tokens a call will take: its worst case by what came of the worst cases before; of an unknown call the mean of late ones.
local function expected(pace, worst)
  if not pace.answers then return worst or 0 end
  return worst and worst * math.min(1, math.max(0.02, pace.real / pace.worst)) or pace.real / pace.answers
end

local function take_room(pace, requests, tokens)
  if pace.rate then pace.request_room = math.min(pace.request_most, pace.request_room - requests) end
  if pace.token_rate then pace.token_room = math.min(pace.token_most, pace.token_room - tokens) end
end

-- A job's call goes to the link, or is about to.
local function enter(id, pace, tokens)
  if pace.half then pace.probe = id end
  pace.out, pace.sent = pace.out + 1, pace.sent + 1
  take_room(pace, 1, tokens)
end

-- Room at the link is set aside for a job that is about to ask for it.
local function grant(id, pace)
  local tokens = expected(pace)
  enter(id, pace, tokens)
  save(pace)
  redis.call('HSET', job_key(id), 'grant', pace.link, 'paced', tokens)
end

-- A grant is given back: the job went elsewhere, or ended.
local function ungrant(id)
  local link = field(id, 'grant')
  if not link then return end
  local pace = pace_of(link)
  pace.out, pace.sent = pace.out - 1, pace.sent - 1
  if pace.probe == id then pace.probe = nil end
  take_room(pace, -1, -number(id, 'paced'))
  save(pace)
  redis.call('HDEL', job_key(id), 'grant', 'paced')
end

-- What a provider told of its limits with an answer, "requests,left,tokens,left" per minute, -1 = not told.
local function heed(pace, told)
  local requests, requests_left, tokens, tokens_left = told:match('^(%-?%d+),(%-?%d+),(%-?%d+),(%-?%d+)$')
  if not requests then return end
  if tonumber(requests) > 0 then pace.requests = tonumber(requests) end
  if tonumber(tokens) > 0 then pace.tokens = tonumber(tokens) end
  if tonumber(requests_left) >= 0 then pace.request_room = least(pace.request_room, tonumber(requests_left)) end
  if tonumber(tokens_left) >= 0 then pace.token_room = least(pace.token_room, tonumber(tokens_left)) end
end

-- A 429 to a call sent after the last halving: half the rate from now on.
local function halve(pace, sent)
  if pace.slow_at and sent <= pace.slow_at then return end
  local counted = now - pace.window + (pace.before > 0 and WINDOW_MS or 0)
  local seen = (pace.before + pace.sent) * 60000 / math.max(1000, counted)
  pace.slow, pace.slow_at = math.max(SLOWEST, (pace.rate or seen) / 2), now
  pace.request_room = math.min(0, pace.request_room or 0)
end

-- What an answer teaches of the tokens that a call takes.
local function learn(pace, worst, real)
  pace.real = (pace.real or 0) * DECAY + real
  pace.worst = (pace.worst or 0) * DECAY + worst
  pace.answers = (pace.answers or 0) * DECAY + 1
end

-- A call has ended (see close_attempt). Returns whether its link is itself again after a cooldown: those behind its probe wake.
local function pass_back(id, link, worst, fault, end_)
  local pace, charged = pace_of(link), number(id, 'paced')
  pace.out = pace.out - 1
  take_room(pace, 0, end_.billing == 'real' and end_.tokens - charged or end_.billing == 'none' and -charged or 0)
  if end_.billing == 'real' then learn(pace, worst, end_.tokens) end
  heed(pace, end_.told)
  if fault == 'rate_limited' then halve(pace, number(id, 'sent')) end
  local open = false
  if end_.cool > 0 then
    redis.call('SET', key('cool', link), fault, 'PX', end_.cool)
    redis.call('ZADD', key('cooling'), now + end_.cool, link)
    redis.call('ZREMRANGEBYSCORE', key('cooling'), '-inf', now)
    pace.half = 1
  elseif pace.half and (pace.probe == id and fault ~= 'lost' or fault == '') then
    pace.half, open = nil, true
  end
  if pace.probe == id or open then pace.probe = nil end
  save(pace)
  redis.call('HDEL', job_key(id), 'paced', 'sent')
  return open
end
