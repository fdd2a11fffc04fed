-- Risks: what of a job may have been billed, as its user's limits (and the group's and the batch's)
-- count it: of all its attempts no more than one worst case, because only one answer was asked for.
-- The fleet's own limit counts each in full.
-- Invariant: while an attempt is open, the job's hold on those limits is the larger of its worst
-- case and the risk, and no risk is booked; else the risk is booked as possibly billed.
local risks = {}

local NONE = { tokens = 0, micro = 0, at = 0, codes = '' }

-- Every call is a request, whatever came of it.
function risks.is_shared(budget)
  return budget.limit.kind ~= 'fleet' and budget.unit ~= 'requests'
end

-- `codes`: of the budgets on which it is booked.
local function read(id)
  local text = jobs.field(id, 'risk')
  if not text then
    return NONE
  end
  local tokens, micro, at, codes = text:match('^(%d+):(%d+):(%d+):(%a*)$')
  return { tokens = tonumber(tokens), micro = tonumber(micro), at = tonumber(at), codes = codes }
end

local function write(id, risk)
  if risk.tokens + risk.micro == 0 then
    jobs.remove(id, 'risk')
  else
    jobs.set(id, 'risk', table.concat({ risk.tokens, risk.micro, risk.at, risk.codes }, ':'))
  end
end

local function book(id, risk, sign)
  for _, budget in ipairs(budgets.among(id, risk.codes)) do
    if risk[budget.unit] ~= 0 then
      budgets.add_used(budget, 'm', sign * risk[budget.unit], risk.at)
    end
  end
end

-- What an attempt takes of a limit beyond what the job's risk takes of it already.
function risks.beyond(id, budget, amount)
  local risk = read(id)
  local is_booked = budget.limit.code and risk.codes:find(budget.limit.code, 1, true)
  if not risks.is_shared(budget) or not is_booked or not budgets.is_in_window(budget, risk.at) then
    return amount
  end
  return math.max(0, amount - risk[budget.unit])
end

-- What an open attempt holds of a limit.
function risks.held(id, budget, amounts)
  local risk = risks.is_shared(budget) and read(id) or NONE
  return math.max(amounts[budget.unit], risk[budget.unit] or 0)
end

-- An attempt begins: its hold stands for the risk.
function risks.suspend(id)
  local risk = read(id)
  book(id, risk, -1)
  risk.codes = ''
  if risk ~= NONE then
    write(id, risk)
  end
end

-- The open attempt has ended, and its hold is released.
function risks.resume(id, list)
  local risk = read(id)
  if risk == NONE then
    return
  end
  local codes = {}
  for i, budget in ipairs(list) do
    codes[i] = risks.is_shared(budget) and budget.limit.code or ''
  end
  risk.codes = table.concat(codes)
  book(id, risk, 1)
  write(id, risk)
end

-- An attempt may have been billed. It is booked when it is resumed.
function risks.add(id, amounts)
  local risk = read(id)
  write(id, {
    tokens = math.max(risk.tokens, amounts.tokens), micro = math.max(risk.micro, amounts.micro),
    at = call.now, codes = '',
  })
end

-- One of the attempts is known now: `rest` may have been billed of the others.
function risks.lower(id, rest)
  local risk = read(id)
  local lower = {
    tokens = math.min(risk.tokens, rest.tokens), micro = math.min(risk.micro, rest.micro),
    at = risk.at, codes = risk.codes,
  }
  local holds = budgets.among(id, jobs.field(id, 'held_on') or '')
  local amounts = { tokens = jobs.number(id, 'held_tokens'), micro = jobs.number(id, 'held_micro') }
  for _, budget in ipairs(holds) do
    if risks.is_shared(budget) then
      local worst = amounts[budget.unit]
      budgets.add_held(
        budget, math.max(worst, lower[budget.unit]) - math.max(worst, risk[budget.unit])
      )
    end
  end
  book(id, risk, -1)
  book(id, lower, 1)
  write(id, lower)
end

return risks
