-- Charges: what a call cost, or may have, on its budgets, its job and its batch.
local charges = {}

-- `kind`: 'u' spent or 'm' possibly billed; `list`: of which budgets.
function charges.add(id, kind, list, amounts, at_ms)
  for _, budget in ipairs(list) do
    if kind == 'u' or not risks.is_shared(budget) then
      budgets.add_used(budget, kind, amounts[budget.unit], at_ms)
    end
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
function charges.note_estimated(id, micro)
  if micro == 0 then
    return
  end
  jobs.add(id, 'estimated', micro)
  local batch = jobs.paying_batch(id)
  if batch then
    batches.add(batch, 'estimated', micro)
  end
end

return charges
