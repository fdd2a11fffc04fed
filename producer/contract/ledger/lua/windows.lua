-- Windows: what is limited over which time, and of whom.
local windows = {}

local MINUTE_MS = 60000
local DAY_MS = 86400000
local TEN_YEARS_MS = 315360000000
-- A window is its last `slots` slots; the extra one covers the slot that the window's start cuts.
local TOKENS = { limit = 'tokens_per_hour', unit = 'tokens', slot_ms = MINUTE_MS, slots = 61 }
local REQUESTS = { limit = 'requests_per_minute', unit = 'requests', slot_ms = 1000, slots = 61 }
local DOLLARS = { limit = 'usd_per_day', unit = 'micro', slot_ms = DAY_MS, slots = 1 }
windows.BATCH = {
  limit = 'usd', unit = 'micro', slot_ms = TEN_YEARS_MS, slots = 1, whole = true,
  life_ms = 30 * DAY_MS,
}
local KEY_OF_UNIT = { tokens = 'tokens', requests = 'requests', micro = 'usd' }

windows.ALL = { TOKENS, REQUESTS, DOLLARS }
windows.DOLLARS = DOLLARS

-- The limits of a job, in the order in which they are looked at. `code`: one letter that names its
-- budget in the job's record.
windows.LIMITS = {
  { code = 't', kind = 'user', window = TOKENS },
  { code = 'r', kind = 'user', window = REQUESTS },
  { code = 'd', kind = 'user', window = DOLLARS },
  { code = 'T', kind = 'group', window = TOKENS },
  { code = 'R', kind = 'group', window = REQUESTS },
  { code = 'D', kind = 'group', window = DOLLARS },
  { code = 'F', kind = 'fleet', window = DOLLARS },
  { code = 'B', kind = 'batch', window = windows.BATCH },
}

for _, limit in ipairs(windows.LIMITS) do
  limit.name = limit.kind .. '_' .. limit.window.limit
  if limit.kind == 'fleet' then
    limit.name = limit.window.limit
  end
end

-- Whose limits a job has, by kind.
function windows.subjects(id)
  return {
    user = jobs.field(id, 'user'),
    group = jobs.field(id, 'group'),
    fleet = 'all',
    batch = jobs.paying_batch(id),
  }
end

-- What is allowed: as set at run time, else by the worker's settings (name -> number); -1 = any.
function windows.allowed(limit, subject, settings)
  local own = overrides.field(limit.kind, subject, limit.window.limit)
  return tonumber(own or settings[limit.name] or -1)
end

function windows.key(kind, subject, window)
  return keys.budget(KEY_OF_UNIT[window.unit], kind, subject)
end

return windows
