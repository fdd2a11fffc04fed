-- Possible bills: attempts that ended without a word of what they cost. Each stays booked at its
-- worst case, under its fence, until a late reply or an operator says better.
-- Invariant: what `book` adds, one `take_back` takes away.
local possible_bills = {}

local LIFE_MS = 3456000000  -- 40 days: an invoice says more by then

local function name(fence)
  return 'possible' .. fence
end

-- What is kept of one beyond its job, so that it can be forgiven.
local function entry(id, fence, booked)
  return cjson.encode({
    id, fence, jobs.field(id, 'on' .. fence) or '', booked, payers.of(id, 'user') or '',
    payers.of(id, 'group') or '', jobs.field(id, 'tags') or '', jobs.paying_batch(id) or '',
  })
end

-- The largest of what is booked under the other fences.
local function others(id, fence)
  local rest = { tokens = 0, micro = 0 }
  for each = 1, jobs.number(id, 'fence') do
    local booked = each ~= fence and jobs.field(id, name(each))
    if booked then
      local tokens, micro = booked:match('^(%d+):(%d+)')
      rest.tokens = math.max(rest.tokens, tonumber(tokens))
      rest.micro = math.max(rest.micro, tonumber(micro))
    end
  end
  return rest
end

-- `list`: the budgets that the attempt had a hold on; `mine`: what its user's limits bear of it.
function possible_bills.book(id, fence, list, amounts, mine)
  charges.add(id, 'm', list, amounts, call.now)
  usage.add(id, fence, 'm', amounts, call.now)
  local booked =
    table.concat({ amounts.tokens, amounts.micro, call.now, budgets.codes(list) }, ':')
  jobs.set(id, name(fence), booked)
  redis.call('ZADD', keys.possible_bills(), call.now, entry(id, fence, booked))
  redis.call('ZREMRANGEBYSCORE', keys.possible_bills(), '-inf', call.now - LIFE_MS)
  redis.call('PEXPIRE', keys.possible_bills(), LIFE_MS)
  risks.add(id, mine)
end

-- The micro-dollars that are possible no longer; nil if none were.
function possible_bills.take_back(id, fence)
  local booked = jobs.field(id, name(fence))
  if not booked then
    return nil
  end
  redis.call('ZREM', keys.possible_bills(), entry(id, fence, booked))
  local tokens, micro, at_ms, codes = booked:match('^(%d+):(%d+):(%d+):(%a*)$')
  local back = { tokens = -tokens, micro = -micro, output = 0, requests = -1 }
  charges.add(id, 'm', budgets.among(id, codes), back, tonumber(at_ms))
  usage.add(id, fence, 'm', back, tonumber(at_ms))
  jobs.remove(id, name(fence))
  risks.lower(id, others(id, fence))
  return tonumber(micro)
end

-- The provider's invoice does not have it: an entry is taken back, also of a job whose record is
-- gone. Its micro-dollars; nil if that was done before.
function possible_bills.forgive(text)
  local id, fence, link, booked, user, group, tags, batch = unpack(cjson.decode(text))
  if not redis.call('ZSCORE', keys.possible_bills(), text) then
    return nil
  end
  local is_gone = not jobs.state(id)
  if is_gone then
    jobs.assume(id, {
      ['on' .. fence] = link, [name(fence)] = booked, user = user, tags = tags,
      group = group ~= '' and group, batch = batch ~= '' and batch,
    })
  end
  local micro = possible_bills.take_back(id, fence)
  redis.call('ZREM', keys.possible_bills(), text)
  if is_gone then
    jobs.discard(id)
  end
  return micro
end

return possible_bills
