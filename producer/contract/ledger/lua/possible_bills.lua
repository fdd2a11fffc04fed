-- Possible bills: attempts that ended without a word of what they cost. Each stays booked at its
-- worst case, under its fence, until a late reply or an operator says better.
-- Invariant: what `book` adds, one `take_back` takes away.
local possible_bills = {}

local function name(fence)
  return 'possible' .. fence
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

-- `list`: the budgets that the attempt had a hold on.
function possible_bills.book(id, fence, list, amounts)
  charges.add(id, 'm', list, amounts, call.now)
  usage.add(id, fence, 'm', amounts, call.now)
  local booked = { amounts.tokens, amounts.micro, call.now, budgets.codes(list) }
  jobs.set(id, name(fence), table.concat(booked, ':'))
  risks.add(id, amounts)
end

-- The micro-dollars that are possible no longer; nil if none were.
function possible_bills.take_back(id, fence)
  local booked = jobs.field(id, name(fence))
  if not booked then
    return nil
  end
  local tokens, micro, at_ms, codes = booked:match('^(%d+):(%d+):(%d+):(%a*)$')
  local back = { tokens = -tokens, micro = -micro, output = 0, requests = -1 }
  charges.add(id, 'm', budgets.among(id, codes), back, tonumber(at_ms))
  usage.add(id, fence, 'm', back, tonumber(at_ms))
  jobs.remove(id, name(fence))
  risks.lower(id, others(id, fence))
  return tonumber(micro)
end

return possible_bills
