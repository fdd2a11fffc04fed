-- The calendar of the budgets: days, weeks from Monday and months in the fleet's time zone, by the
-- server's clock. A period's number is its day since 1970, its week or its month.
local calendar = {}

local DAY_MS = 86400000
local THURSDAY = 3  -- 1970-01-01 was one: days since the Monday before

-- {from ms, offset ms} in order: what the zone's clocks are ahead of UTC. The ruling worker tells
-- those of about two years; without any it is UTC.
local function offsets()
  local found = call.memory.offsets
  if not found then
    found = {}
    for from, ahead in config.text('offsets'):gmatch('(%-?%d+):(%-?%d+)') do
      found[#found + 1] = { from = tonumber(from), ahead = tonumber(ahead) }
    end
    found[1] = found[1] or { from = 0, ahead = 0 }
    call.memory.offsets = found
  end
  return found
end

local function ahead_at(at_ms)
  local ahead = offsets()[1].ahead
  for _, each in ipairs(offsets()) do
    if each.from <= at_ms then
      ahead = each.ahead
    end
  end
  return ahead
end

local function day_of(at_ms)
  return math.floor((at_ms + ahead_at(at_ms)) / DAY_MS)
end

-- Years begin in March here, so that a leap day is the last of its year; eras have 400 years
-- (146,097 days). Source: H. Hinnant, chrono-compatible low-level date algorithms.
local function month_of(day)
  local shifted = day + 719468
  local era = math.floor(shifted / 146097)
  local of_era = shifted - era * 146097
  local year = math.floor(
    (of_era - math.floor(of_era / 1460) + math.floor(of_era / 36524) - math.floor(of_era / 146096))
      / 365
  )
  local of_year = of_era - (365 * year + math.floor(year / 4) - math.floor(year / 100))
  local march_based = math.floor((5 * of_year + 2) / 153)
  return (era * 400 + year) * 12 + march_based + 2  -- months since January of the year 0
end

local function first_day_of_month(month)
  local since_march = month - 2
  local year = math.floor(since_march / 12)
  local era = math.floor(year / 400)
  local of_era = year - era * 400
  local of_year = math.floor((153 * (since_march - year * 12) + 2) / 5)
  local days = of_era * 365 + math.floor(of_era / 4) - math.floor(of_era / 100) + of_year
  return era * 146097 + days - 719468
end

local NUMBER = {
  day = function(day)
    return day
  end,
  week = function(day)
    return math.floor((day + THURSDAY) / 7)
  end,
  month = month_of,
}

local FIRST_DAY = {
  day = function(number)
    return number
  end,
  week = function(number)
    return number * 7 - THURSDAY
  end,
  month = first_day_of_month,
}

function calendar.number(period, at_ms)
  return NUMBER[period](day_of(at_ms))
end

-- The first instant of a period. Clocks that are put forward at midnight skip that.
function calendar.begins(period, number)
  local day = FIRST_DAY[period](number)
  local earliest
  for _, each in ipairs(offsets()) do
    for _, at_ms in ipairs({ day * DAY_MS - each.ahead, each.from }) do
      if day_of(at_ms) == day and at_ms < (earliest or math.huge) then
        earliest = at_ms
      end
    end
  end
  return earliest or day * DAY_MS
end

return calendar
