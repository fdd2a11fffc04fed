-- Bookings: what an attempt holds, and what it cost its budgets, its job and its batch.
-- Invariant: what a hold adds to a budget, one release takes away again.
local bookings = {}

function bookings.hold(id, list, amounts)
  risks.suspend(id)
  for _, budget in ipairs(list) do
    budgets.add_held(budget, risks.held(id, budget, amounts))
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
    budgets.add_held(budget, -risks.held(id, budget, amounts))
    held_lines.released(budget)
  end
  jobs.remove(id, 'held_tokens', 'held_micro', 'held_on', 'link')
end

-- Book a reply's true cost, once per fence: a settle whose answer was lost is sent again, and a
-- late one may follow a sweep. It counts on every budget in use, also on one that got its limit
-- after the call had begun.
function bookings.book_reply(id, fence, bill)
  if not jobs.set_once(id, 'booked' .. fence, 1) then
    return
  end
  possible_bills.take_back(id, fence)
  if bill.booked_as ~= '' then
    jobs.set(id, 'on' .. fence, bill.booked_as)
  end
  local amounts = {
    tokens = bill.tokens, output = bill.output, micro = bill.micro, requests = 1,
    estimated = bill.estimated and bill.micro or 0,
  }
  charges.add(id, 'u', budgets.among(id, nil), amounts, call.now)
  charges.note_estimated(id, amounts.estimated)
  usage.add(id, fence, 'u', amounts, call.now)
end

-- Who cancels a call did not ask for the rest of its answer.
local function borne_by_user(id, bill, amounts)
  if not jobs.field(id, 'cancel') or bill.prompt_tokens < 0 then
    return amounts
  end
  return {
    tokens = math.min(amounts.tokens, bill.prompt_tokens),
    micro = math.min(amounts.micro, bill.prompt_micro),
  }
end

-- A call that left is a request, also where nothing of it is billed.
local function count_request(list)
  for _, budget in ipairs(list) do
    if budget.unit == 'requests' then
      budgets.add_used(budget, 'u', 1, call.now)
    end
  end
end

-- The open attempt has ended: its hold becomes what it was billed.
function bookings.close(id, fence, bill)
  local list = budgets.among(id, jobs.field(id, 'held_on') or '')
  local amounts = held(id)
  release_hold(id, list, amounts)
  if bill.billing == 'maybe' then
    possible_bills.book(id, fence, list, amounts, borne_by_user(id, bill, amounts))
  end
  risks.resume(id, list)
  if bill.billing == 'real' then
    bookings.book_reply(id, fence, bill)
  elseif bill.billing == 'free' then
    count_request(list)
  end
end

return bookings
