-- Usage, kept beyond its jobs: a hash per UTC day, one row per user, group, link and tags. Calls,
-- input and output tokens and micro-dollars of answered calls, then calls and micro-dollars of
-- those possibly billed, then how much of the first micro-dollars is estimated, then answers from
-- the cache and the micro-dollars that they had cost, and last, where there are any, both of those
-- that were near questions'.
local usage = {}

local DAY_MS = 86400000
local LIFE_MS = 400 * DAY_MS  -- until a worker has said otherwise
local NOTHING = '0,0,0,0,0,0,0,0,0'

local function parsed(text)
  local sums = {}
  for number in text:gmatch('[^,]+') do
    sums[#sums + 1] = tonumber(number)
  end
  return sums
end

-- A format costs as much as half a command, and Lua writes whole numbers below 10^14 as they are.
local function written(sums)
  for i, sum in ipairs(sums) do
    if sum >= 1e14 then
      sums[i] = string.format('%.0f', sum)
    end
  end
  return table.concat(sums, ',')
end

local function row_of(id, link)
  return cjson.encode({
    payers.of(id, 'user') or '', payers.of(id, 'group') or '', link,
    jobs.field(id, 'tags') or '',
  })
end

local function change(kind, amounts)
  local sign = amounts.requests
  if kind == 'u' then
    local input = amounts.tokens - amounts.output
    return { sign, input, amounts.output, amounts.micro, 0, 0, amounts.estimated, 0, 0 }
  end
  return { 0, 0, 0, 0, sign, amounts.micro, 0, 0, 0 }
end

local function add_to(row, at_ms, amounts)
  local day = keys.usage(math.floor(at_ms / DAY_MS))
  local stored = redis.call('HGET', day, row)
  local sums = parsed(stored or NOTHING)
  for i, amount in ipairs(amounts) do
    sums[i] = (sums[i] or 0) + amount
  end
  redis.call('HSET', day, row, written(sums))
  if not stored then
    redis.call('PEXPIRE', day, config.number('usage_ms', LIFE_MS))
  end
end

-- The cache answered a job.
function usage.add_hit(id, link, micro, near)
  local amounts = { 0, 0, 0, 0, 0, 0, 0, 1, micro }
  if near then
    amounts[10], amounts[11] = 1, micro
  end
  add_to(row_of(id, link), call.now, amounts)
  counters.add('saved_micro', micro)
end

-- `kind`: 'u' spent or 'm' possibly billed; negative amounts take a possible bill back.
function usage.add(id, fence, kind, amounts, at_ms)
  add_to(row_of(id, jobs.field(id, 'on' .. fence) or ''), at_ms, change(kind, amounts))
  if kind == 'u' then
    counters.add('spent_micro', amounts.micro)
  else
    counters.add('maybe_billed_micro', amounts.micro)
    counters.add('maybe_billed_attempts', amounts.requests)
  end
end

-- Add a day's row to the one that has `name` instead of the user. Whether there was one.
function usage.reassign(day, row, name)
  local sums = redis.call('HGET', day, row)
  local readable, named = pcall(cjson.decode, row)
  if not sums or not readable or type(named) ~= 'table' then
    return false
  end
  named[1] = name
  local other = cjson.encode(named)
  if other == row then
    return false
  end
  local total = parsed(sums)
  for i, sum in ipairs(parsed(redis.call('HGET', day, other) or '')) do
    total[i] = (total[i] or 0) + sum
  end
  redis.call('HSET', day, other, written(total))
  -- Last, so that the day's hash is never empty and keeps its life.
  redis.call('HDEL', day, row)
  return true
end

return usage
