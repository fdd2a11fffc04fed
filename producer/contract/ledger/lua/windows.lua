-- Windows: what is limited over which time, and of whom.
local windows = {}

local MINUTE_MS = 60000
local DAY_MS = 86400000
local TEN_YEARS_MS = 315360000000
-- A window is its last `slots` slots; the extra one covers the slot that the window's start cuts.
-- One of a calendar's period is that, from its first day on. `key`: in the budget's key.
local TOKENS = {
  limit = 'tokens_per_hour', unit = 'tokens', key = 'tokens', slot_ms = MINUTE_MS, slots = 61,
}
local REQUESTS = {
  limit = 'requests_per_minute', unit = 'requests', key = 'requests', slot_ms = 1000, slots = 61,
}
local function dollars(period, key, days)
  return {
    limit = 'usd_per_' .. period, unit = 'micro', key = key, period = period, slots = 1,
    slot_ms = days * DAY_MS, days = days,
  }
end
local DAY, WEEK = dollars('day', 'usd', 1), dollars('week', 'usd7', 7)
local MONTH = dollars('month', 'usd31', 31)
windows.DOLLARS = { DAY, WEEK, MONTH }
windows.BATCH = {
  limit = 'usd', unit = 'micro', key = 'usd', slot_ms = TEN_YEARS_MS, slots = 1, whole = true,
  life_ms = 30 * DAY_MS,
}

windows.ALL = { TOKENS, REQUESTS, DAY, WEEK, MONTH }

-- The limits of a job, in the order in which they are looked at. `code`: one letter that names its
-- budget in the job's record.
windows.LIMITS = {
  { code = 't', kind = 'user', window = TOKENS },
  { code = 'r', kind = 'user', window = REQUESTS },
  { code = 'd', kind = 'user', window = DAY },
  { code = 'w', kind = 'user', window = WEEK },
  { code = 'm', kind = 'user', window = MONTH },
  { code = 'T', kind = 'group', window = TOKENS },
  { code = 'R', kind = 'group', window = REQUESTS },
  { code = 'D', kind = 'group', window = DAY },
  { code = 'W', kind = 'group', window = WEEK },
  { code = 'M', kind = 'group', window = MONTH },
  { code = 'F', kind = 'fleet', window = DAY },
  { code = 'G', kind = 'fleet', window = WEEK },
  { code = 'H', kind = 'fleet', window = MONTH },
  { code = 'B', kind = 'batch', window = windows.BATCH },
}

local function name_of(kind, window)
  return kind == 'fleet' and window.limit or kind .. '_' .. window.limit
end

for _, limit in ipairs(windows.LIMITS) do
  limit.name = name_of(limit.kind, limit.window)
end

-- By kind and window, also where no job has such a limit.
local NAMES = {}
for _, kind in ipairs({ 'user', 'group', 'fleet', 'batch' }) do
  NAMES[kind] = { [windows.BATCH] = name_of(kind, windows.BATCH) }
  for _, window in ipairs(windows.ALL) do
    NAMES[kind][window] = name_of(kind, window)
  end
end

-- Names of the limits that the settings give to every user, and to the fleet.
windows.GIVEN = {}
for _, limit in ipairs(windows.LIMITS) do
  if limit.kind == 'user' or limit.kind == 'fleet' then
    windows.GIVEN[#windows.GIVEN + 1] = limit.name
  end
end

-- Whose limits a job has, by kind.
function windows.subjects(id)
  return {
    user = payers.of(id, 'user'),
    group = payers.of(id, 'group'),
    fleet = 'all',
    batch = jobs.paying_batch(id),
  }
end

-- What is allowed: as set at run time, else by the fleet's settings; -1 = any.
function windows.allowed(kind, subject, window)
  local own = overrides.field(kind, subject, window.limit)
  if own or kind == 'group' or kind == 'batch' then
    return tonumber(own or -1)
  end
  config.load(windows.GIVEN)
  return config.number(NAMES[kind][window], -1)
end

function windows.key(kind, subject, window)
  return keys.budget(window.key, kind, subject)
end

-- The number of the slot, or of the calendar's period, in which an instant is.
function windows.slot(window, at_ms)
  if window.period then
    return calendar.number(window.period, at_ms)
  end
  return math.floor(at_ms / window.slot_ms)
end

-- When what was used in a slot counts no longer.
function windows.left_at(window, slot)
  if window.period then
    return calendar.begins(window.period, slot + 1)
  end
  return (slot + window.slots) * window.slot_ms
end

return windows
