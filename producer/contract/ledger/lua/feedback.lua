-- Feedback: what the end of a call teaches of its provider link.
local feedback = {}

local LIMIT_MS = 60000  -- the window of limits per minute
local MEDIAN_STEP = 0.05
local DECAY = 0.98   -- how much of what was learnt of a call's tokens is kept per answer

-- `refused`: with a 429. Such a limit holds for its window, unless answers state it too.
local function apply_limit_headers(link, stated, refused)
  if stated.requests > 0 or stated.tokens > 0 then
    link.expires = refused and call.now + LIMIT_MS or nil
  end
  if link.expires then
    redis.call('ZADD', keys.cooling(), 'NX', link.expires, link.name)
  end
  if stated.requests > 0 then
    link.requests = stated.requests
  end
  if stated.tokens > 0 then
    link.tokens = stated.tokens
  end
  if stated.requests_left >= 0 then
    link.request_room = pace.least(link.request_room, stated.requests_left)
  end
  if stated.tokens_left >= 0 then
    link.token_room = pace.least(link.token_room, stated.tokens_left)
  end
end

local function learn(link, worst, real)
  link.real = (link.real or 0) * DECAY + real
  link.worst = (link.worst or 0) * DECAY + worst
  link.answers = (link.answers or 0) * DECAY + 1
end

-- A running median: a step up or down by a share of itself, towards each new value.
local function learn_time(link, ms)
  local median = link.median or ms
  local step = math.max(1, MEDIAN_STEP * median)
  local nearer = math.max(median - step, math.min(median + step, ms))
  link.median = math.floor(nearer)
end

-- A call of `id` has ended; `bill` as in attempts.close. Whether its link is itself again.
function feedback.call_ended(id, name, worst, fault, bill)
  local link = pace.of(name)
  local charged, sent_ms = jobs.number(id, 'paced'), jobs.number(id, 'sent')
  link.out = link.out - 1
  if bill.billing == 'real' then
    room.take(link, 0, bill.tokens - charged)
    learn(link, worst, bill.tokens)
  elseif bill.billing ~= 'maybe' then
    room.take(link, 0, -charged)
  end
  if bill.limits then
    apply_limit_headers(link, bill.limits, fault == 'rate_limited')
  end
  if fault == 'rate_limited' then
    brakes.refused(link, sent_ms)
  elseif bill.says == 'answers' then
    brakes.answered(link, sent_ms)
    learn_time(link, call.now - sent_ms)
  end
  local recovered = circuits.judge(link, id, bill)
  pace.save(link)
  jobs.remove(id, 'paced', 'sent')
  return recovered
end

return feedback
