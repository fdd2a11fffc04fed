-- Money and ends: budgets, holds, what an attempt cost, and the one end of a job.
-- Invariants kept here: a job leaves exactly one outcome; what a hold adds to a budget, exactly one of unhold, book or doubt
-- takes away again.

local USAGE_MS = 34560000000   -- 400 days, until a worker has said otherwise

-- Budgets: hash with fields h (held), u<slot> (spent) and m<slot> (possibly billed). A window is its last `slots` slots.
local SHAPES = {
  tokens   = { slot = 60000,    slots = 61 },   -- any 60 minutes; the extra slot covers the one cut by the window's start
  requests = { slot = 1000,     slots = 61 },   -- any 60 seconds
  usd      = { slot = 86400000, slots = 1 },    -- a UTC day
  whole    = { slot = 315360000000, slots = 1, ttl = 2592000000 },   -- a batch's life: one slot of ten years
}
local BUDGETS = {
  { limit = 'tokens_per_hour',     shape = SHAPES.tokens,   unit = 'tokens',   key = 'tokens' },
  { limit = 'requests_per_minute', shape = SHAPES.requests, unit = 'requests', key = 'requests' },
  { limit = 'usd_per_day',         shape = SHAPES.usd,      unit = 'micro',    key = 'usd' },
}

-- The budgets a job draws on: its user's, its group's if it has one, the fleet's dollars, and its batch's if it has one.
local function budgets(id)
  local all, user, group = {}, field(id, 'user'), field(id, 'group')
  local function draw(kind, name, each)
    all[#all + 1] = { name = kind == 'fleet' and each.limit or kind .. '_' .. each.limit, limit = each.limit, shape = each.shape,
                      unit = each.unit, key = key('bud', each.key, kind, name), own = key('lim', kind, name) }
  end
  for _, each in ipairs(BUDGETS) do draw('user', user, each) end
  for _, each in ipairs(group and BUDGETS or {}) do draw('group', group, each) end
  draw('fleet', 'all', BUDGETS[3])
  local batch = payer(id)
  if batch then draw('batch', batch, { limit = 'usd', shape = SHAPES.whole, unit = 'micro', key = 'usd' }) end
  return all
end

local function slot_of(budget, at) return math.floor(at / budget.shape.slot) end

-- What a budget holds: used in the window, held, and the used amounts by slot. Slots outside the window are dropped.
local function read_budget(budget)
  local first, used, on_hold, slots = slot_of(budget, now) - budget.shape.slots + 1, 0, 0, {}
  local all = redis.call('HGETALL', budget.key)
  for i = 1, #all, 2 do
    local amount = tonumber(all[i + 1])
    if all[i] == 'h' then
      on_hold = amount
    else
      local slot = tonumber(all[i]:sub(2))
      if slot < first then
        redis.call('HDEL', budget.key, all[i])
      else
        used = used + amount
        slots[#slots + 1] = { slot = slot, amount = amount }
      end
    end
  end
  return used, on_hold, slots
end

-- The limits that a worker's settings give, four arguments from `at` on.
local function settings_limits(at)
  return { user_tokens_per_hour = ARGV[at], user_requests_per_minute = ARGV[at + 1], user_usd_per_day = ARGV[at + 2],
           usd_per_day = ARGV[at + 3] }
end

-- What is allowed: as set at run time, else by the settings; -1 = anything.
local function limit_of(budget, limits)
  return tonumber(redis.call('HGET', budget.own, budget.limit) or limits[budget.name] or -1)
end

local function add(budget, name, amount)
  redis.call('HINCRBY', budget.key, name, amount)
  redis.call('PEXPIRE', budget.key, budget.shape.ttl or budget.shape.slot * budget.shape.slots + 172800000)
end

local function held(id)
  return { tokens = number(id, 'held_tokens'), micro = number(id, 'held_micro'), requests = 1 }
end

-- Close the open attempt: give its hold back and drop budget waiters a hint.
local function unhold(id)
  local amounts = held(id)
  for _, budget in ipairs(budgets(id)) do
    add(budget, 'h', -amounts[budget.unit])
    wake('budget:' .. budget.key, 2)
  end
  redis.call('HDEL', job_key(id), 'held_tokens', 'held_micro', 'link')
end

-- Usage, kept beyond its jobs: a hash per UTC day, one row per user, group, link and tags. Calls, input and output tokens and
-- micro-dollars of answered calls, then calls and micro-dollars of those possibly billed.
local function account(id, fence, kind, amounts, at)
  local link = field(id, 'on' .. fence) or ''
  local day = key('use', math.floor(at / SHAPES.usd.slot))
  local row = cjson.encode({ field(id, 'user'), field(id, 'group') or '', link, field(id, 'tags') or '' })
  local sums = {}
  for n in (redis.call('HGET', day, row) or '0,0,0,0,0,0'):gmatch('[^,]+') do sums[#sums + 1] = tonumber(n) end
  local sign = amounts.requests
  if kind == 'u' then
    sums[1], sums[2], sums[3] = sums[1] + sign, sums[2] + amounts.tokens - amounts.output, sums[3] + amounts.output
    sums[4] = sums[4] + amounts.micro
  else
    sums[5], sums[6] = sums[5] + sign, sums[6] + amounts.micro
  end
  for i, n in ipairs(sums) do sums[i] = string.format('%d', n) end
  redis.call('HSET', day, row, table.concat(sums, ','))
  redis.call('PEXPIRE', day, tonumber(redis.call('HGET', key('cfg'), 'usage_ms') or USAGE_MS))
  count(kind == 'u' and 'spent_micro' or 'maybe_billed_micro', amounts.micro)
  if kind == 'm' then count('maybe_billed_attempts', sign) end
end

-- What it costs its budgets, its job and its batch.
local function charge(id, kind, amounts, at)
  for _, budget in ipairs(budgets(id)) do
    add(budget, kind .. slot_of(budget, at), amounts[budget.unit])
  end
  local total = kind == 'u' and 'cost' or 'maybe'
  redis.call('HINCRBY', job_key(id), total, amounts.micro)
  local batch = payer(id)
  if batch then
    redis.call('HINCRBY', key('b', batch), total, amounts.micro)
    if kind == 'u' then redis.call('HINCRBY', key('b', batch), 'tokens', amounts.tokens) end
  end
end

local function book(id, fence, kind, amounts, at)
  charge(id, kind, amounts, at)
  account(id, fence, kind, amounts, at)
end

-- The open attempt may have been billed: its hold stays booked as such, under its fence, until a late reply says better.
local function doubt(id, fence)
  local amounts = held(id)
  book(id, fence, 'm', amounts, now)
  redis.call('HSET', job_key(id), 'doubt' .. fence, amounts.tokens .. ':' .. amounts.micro .. ':' .. now .. ':accounted')
  unhold(id)
end

-- A late reply settles the doubt its fence left behind. One that a worker of the version before left is in no usage yet.
local function undoubt(id, fence)
  local left = field(id, 'doubt' .. fence)
  if not left then return end
  local tokens, micro, at = left:match('(%d+):(%d+):(%d+)')
  local back = { tokens = -tokens, micro = -micro, requests = -1 }
  charge(id, 'm', back, tonumber(at))
  if left:match(':accounted$') then account(id, fence, 'm', back, tonumber(at)) end
  redis.call('HDEL', job_key(id), 'doubt' .. fence)
end

-- Book a reply's true cost, once per fence: a settle whose answer was lost is sent again, and a late one may follow a sweep.
local function book_reply(id, fence, bill)
  if redis.call('HSETNX', job_key(id), 'booked' .. fence, 1) == 0 then return end
  undoubt(id, fence)
  book(id, fence, 'u', { tokens = bill.tokens, output = bill.output, micro = bill.micro, requests = 1 }, now)
end

-- The open attempt ended with `fault` ('' = an answer): add it to the history, book what it cost, mind its link.
-- end_: billing ('none', 'maybe', or 'real' with micro, tokens and output, how many of them), cool (ms to leave the link alone), told (see heed).
local function close_attempt(id, fence, fault, end_)
  local link = field(id, 'link')
  if not link then return end
  redis.call('HSET', job_key(id), 'tried', (field(id, 'tried') or '') .. link .. '=' .. fault .. ';')
  local open = pass_back(id, link, number(id, 'held_tokens'), fault, end_)
  if end_.billing == 'maybe' then
    doubt(id, fence)
  else
    unhold(id)
    if end_.billing == 'real' then book_reply(id, fence, end_) end
  end
  if open then wake('link:' .. link, MAX_SKIPS) end
end

-- The worker of the open attempt is gone; nobody knows what came of it.
local UNHEARD = { billing = 'maybe', micro = 0, tokens = 0, cool = 0, told = '' }

-- Failures that are nobody's fault but the caller's or the budget's, or were asked for: they leave no dead letter.
local EXPECTED = { RateLimited = true, BudgetExceeded = true, InvalidRequest = true, Cancelled = true }

-- Keep what is needed to understand a failed job and to send its request again.
local function bury(id, kind, outcome)
  local life = tonumber(redis.call('HGET', key('cfg'), 'dead_ms') or '604800000')
  if life <= 0 or EXPECTED[kind] then return end
  count('dead_letters')
  local record = redis.call('HMGET', job_key(id), 'user', 'lane', 'tried', 'attempts', 'unknown', 'at')
  redis.call('HSET', key('d', id), 'user', record[1], 'lane', record[2], 'tried', record[3] or '', 'attempts', record[4] or 0,
             'unknown', record[5] or 0, 'at', record[6], 'ended', now, 'kind', kind, 'outcome', outcome,
             'request', redis.call('GET', key('q', id)) or '')
  redis.call('PEXPIRE', key('d', id), life)
  redis.call('ZADD', key('dead'), now, id)
  redis.call('ZREMRANGEBYSCORE', key('dead'), '-inf', now - life)
end

-- A part of a document has ended: its parent may go on once all have, or one of them failed.
local function part_ended(id, state)
  local parent = field(id, 'parent')
  if not parent or not field(parent, 'state') then return end
  local left = redis.call('HINCRBY', job_key(parent), 'parts', -1)
  if state ~= 'done' then redis.call('HSET', job_key(parent), 'broken', 1) end
  if left <= 0 or state ~= 'done' then wake('parts:' .. parent, 1) end
end

-- Nobody wants the parts of a job that has ended: the calls under way are stopped; the others are orphans when their turn comes.
local function stop_parts(id)
  if number(id, 'parts') <= 0 then return end
  for _, part in ipairs(redis.call('ZRANGE', key('open'), 0, -1)) do
    if field(part, 'parent') == id then redis.call('HSET', job_key(part), 'cancel', 1) end
  end
end

local DOCUMENT_MS = 600000     -- somebody else may have found the text stored and be about to submit a job that needs it

-- A job no longer needs its document; after the last one it is forgotten, `later` ms from now or shortly.
local function let_go(id, later)
  local document = field(id, 'doc')
  if not document or redis.call('HINCRBY', key('docs'), document, -1) > 0 then return end
  redis.call('HDEL', key('docs'), document)
  redis.call('PEXPIRE', key('doc', document), math.max(later, DOCUMENT_MS))
end

local function hold_document(id, document)
  redis.call('HSET', job_key(id), 'doc', document)
  redis.call('HINCRBY', key('docs'), document, 1)
  redis.call('PERSIST', key('doc', document))
end

-- The one end of a job. Its keys live on for the outcome's TTL; a batch keeps the requests of items that failed, to try them again.
function finish(id, state, outcome)
  local batch, behind = field(id, 'batch'), field(id, 'behind')
  local ttl = tonumber(batch and redis.call('HGET', key('b', batch), 'ttl') or redis.call('HGET', key('cfg'), 'ttl') or DEFAULT_TTL_MS)
  redis.call('HSET', job_key(id), 'state', state, 'ended', now)
  redis.call('SET', key('o', id), outcome, 'PX', ttl)
  if state ~= 'done' then
    local kind = cjson.decode(outcome).error.type
    count('error:' .. kind)
    if not batch then bury(id, kind, outcome) end
  end
  if batch and state ~= 'done' then redis.call('PEXPIRE', key('q', id), ttl) else redis.call('DEL', key('q', id)) end
  shut(id)
  redis.call('ZREM', key('park'), id)
  redis.call('ZREM', key('dl'), id)
  redis.call('PEXPIRE', job_key(id), ttl)
  redis.call('PEXPIRE', key('h', id), ttl)
  count(state)
  wake('job:' .. id, MAX_SKIPS)
  if behind then wake(behind, 2) end
  if batch then item_ended(id, batch, state) end
  part_ended(id, state)
  stop_parts(id)
  let_go(id, batch and state ~= 'done' and ttl or 0)
end
