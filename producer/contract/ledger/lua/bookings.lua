-- Bookings: what an attempt holds, and what it cost its budgets, its job and its batch.
-- Invariant: what a hold adds to a budget, exactly one of release_hold and book_possible takes
-- away again; what book_possible adds, a late reply takes away again.
local bookings = {}

local WOKEN = 2  -- jobs told that a hold is free: more would find it taken

function bookings.hold(id, list, amounts)
  for _, budget in ipairs(list) do
    budgets.add_held(budget, amounts[budget.unit])
    budgets.keep(budget)
  end
  jobs.set(
    id, 'held_micro', amounts.micro, 'held_tokens', amounts.tokens,
    'held_on', budgets.codes(list)
  )
end

local function held(id)
  return {
    tokens = jobs.number(id, 'held_tokens'),
    micro = jobs.number(id, 'held_micro'),
    output = 0,
    requests = 1,
  }
end

local function release_hold(id, list, amounts)
  for _, budget in ipairs(list) do
    budgets.add_held(budget, -amounts[budget.unit])
    waiting.wake('budget:' .. budget.key, WOKEN)
  end
  jobs.remove(id, 'held_tokens', 'held_micro', 'held_on', 'link')
end

-- `kind`: 'u' spent or 'm' possibly billed; `list`: of which budgets.
local function charge(id, kind, list, amounts, at_ms)
  for _, budget in ipairs(list) do
    budgets.add_used(budget, kind, amounts[budget.unit], at_ms)
  end
  local total = 'cost'
  if kind == 'm' then
    total = 'maybe'
  end
  jobs.add(id, total, amounts.micro)
  local batch = jobs.paying_batch(id)
  if batch then
    batches.add(batch, total, amounts.micro)
  end
  if batch and kind == 'u' then
    batches.add(batch, 'tokens', amounts.tokens)
  end
end

-- How much of what was charged rests on the worker's own estimate.
local function note_estimated(id, micro)
  if micro == 0 then
    return
  end
  jobs.add(id, 'estimated', micro)
  local batch = jobs.paying_batch(id)
  if batch then
    batches.add(batch, 'estimated', micro)
  end
end

-- The open attempt may have been billed: its hold stays booked as such, under its fence, until a
-- late reply says better.
local function book_possible(id, fence, list)
  local amounts = held(id)
  charge(id, 'm', list, amounts, call.now)
  usage.add(id, fence, 'm', amounts, call.now)
  local booked = { amounts.tokens, amounts.micro, call.now, budgets.codes(list) }
  jobs.set(id, 'possible' .. fence, table.concat(booked, ':'))
  release_hold(id, list, amounts)
end

-- A late reply settles what its fence left booked.
local function unbook_possible(id, fence)
  local booked = jobs.field(id, 'possible' .. fence)
  if not booked then
    return
  end
  local tokens, micro, at_ms, codes = booked:match('^(%d+):(%d+):(%d+):(%a*)$')
  local back = { tokens = -tokens, micro = -micro, output = 0, requests = -1 }
  local list = budgets.among(id, codes)
  charge(id, 'm', list, back, tonumber(at_ms))
  usage.add(id, fence, 'm', back, tonumber(at_ms))
  jobs.remove(id, 'possible' .. fence)
end

-- Book a reply's true cost, once per fence: a settle whose answer was lost is sent again, and a
-- late one may follow a sweep. It counts on every budget in use, also on one that got its limit
-- after the call had begun.
function bookings.book_reply(id, fence, bill)
  if not jobs.set_once(id, 'booked' .. fence, 1) then
    return
  end
  unbook_possible(id, fence)
  if bill.booked_as ~= '' then
    jobs.set(id, 'on' .. fence, bill.booked_as)
  end
  local amounts = {
    tokens = bill.tokens, output = bill.output, micro = bill.micro, requests = 1,
    estimated = bill.estimated and bill.micro or 0,
  }
  charge(id, 'u', budgets.among(id, nil), amounts, call.now)
  note_estimated(id, amounts.estimated)
  usage.add(id, fence, 'u', amounts, call.now)
end

-- The open attempt has ended: its hold becomes what it was billed.
function bookings.close(id, fence, bill)
  local list = budgets.among(id, jobs.field(id, 'held_on') or '')
  if bill.billing == 'maybe' then
    book_possible(id, fence, list)
    return
  end
  release_hold(id, list, held(id))
  if bill.billing == 'real' then
    bookings.book_reply(id, fence, bill)
  end
end

return bookings
