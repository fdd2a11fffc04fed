-- Choices: which of the offered calls is made, by the links' room and by what limits let in.
local choices = {}

-- What a call of the candidate takes of the job's limits: amounts, budgets, and what is in the way.
local function asked(id, candidate)
  local amounts = { micro = candidate.micro, tokens = candidate.tokens, requests = 1 }
  local list, allowed = budgets.limited(id)
  local wants = {}
  for i, budget in ipairs(list) do
    wants[i] = risks.beyond(id, budget, amounts[budget.unit])
  end
  local found = limits.in_the_way(list, allowed, wants)
  local before = #found == 0 and held_lines.behind(id, list)
  if before then
    found = { limits.in_line(list[before], allowed[before], wants[before]) }
  end
  return { candidate = candidate, amounts = amounts, list = list, in_the_way = found }
end

-- Of the other candidates those that fit all limits, the cheapest first; and each one's call.
local function fitting(id, items, refused)
  local found, calls = {}, {}
  for _, each in ipairs(items) do
    calls[each] = each ~= refused and asked(id, each)
    if calls[each] and #calls[each].in_the_way == 0 then
      found[#found + 1] = each
    end
  end
  table.sort(found, function(one, other)
    if one.micro ~= other.micro then
      return one.micro < other.micro
    end
    return one.number < other.number
  end)
  return found, calls
end

-- The first candidate that is free; where a limit refuses it, one that fits all limits. Its
-- `in_the_way` is empty, or there is no other; nil, and what to wait for, if no link is free.
function choices.first(id, candidates, time)
  for i, each in ipairs(candidates) do
    each.number = i
  end
  local number, shortest = free_links.first(id, candidates, time)
  if not number then
    return nil, shortest
  end
  local chosen = asked(id, candidates[number])
  if #chosen.in_the_way == 0 or not chosen.in_the_way[1].is_over then
    return chosen
  end
  local others, calls = fitting(id, candidates, chosen.candidate)
  if #others == 0 then
    return chosen
  end
  number, shortest = free_links.first(id, others, time)
  return number and calls[others[number]], shortest
end

return choices
