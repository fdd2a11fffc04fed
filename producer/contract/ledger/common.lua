-- Functions that every ledger script starts with. KEYS[1] is the root; every other key is derived from it under its hash tag.
-- Time is the server's, in milliseconds. Money is integer micro-dollars.

local root = KEYS[1]
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

local GRACE_MS = 2000          -- a released job not begun by then is looked at by the sweep
local DEFAULT_TTL_MS = 86400000

local CANCELLED = '{"error":{"type":"Cancelled","args":["The job was cancelled.",{}]}}'
local EXPIRED = '{"error":{"type":"DeadlineExceeded","args":["The deadline passed before the job was answered.",{}]}}'
local UNKNOWN = '{"error":{"type":"OutcomeUnknown","args":["The worker died with the call on the wire; it may have been billed, and this fleet does not repeat such calls.",{}]}}'
local POISONED = '{"error":{"type":"Poisoned","args":["The job brought down its worker too often and is not tried again.",{}]}}'

local function key(...) return root .. table.concat({...}, ':') end
local function job_key(id) return root .. 'j:' .. id end
local function field(id, name) return redis.call('HGET', job_key(id), name) end
local function number(id, name) return tonumber(redis.call('HGET', job_key(id), name) or '0') end

local SLOT_MS, SLOT_LIFE_MS, HOUR_MS, HOUR_LIFE_MS = 10000, 4200000, 3600000, 172800000

local SLOT, HOUR = key('obs', math.floor(now / SLOT_MS)), key('obh', math.floor(now / HOUR_MS))

-- Count something that happened now: in its slot of ten seconds, in its hour, and since the beginning. The first of its name in a
-- slot gives the slot its life, so that a slot has one from its first moment and most counts cost three commands.
local function tally(name, by)
  if redis.call('HINCRBY', SLOT, name, by) == by then redis.call('PEXPIRE', SLOT, SLOT_LIFE_MS) end
  if redis.call('HINCRBY', HOUR, name, by) == by then redis.call('PEXPIRE', HOUR, HOUR_LIFE_MS) end
  redis.call('HINCRBY', key('tot'), name, by)
end

local function count(name, by) tally('n|' .. name, by or 1) end

-- Milliseconds left of the quiet time after the server's start, in which nothing begins and nothing is swept: first every worker
-- settles again what the server may have forgotten. 0 if INFO may not be asked.
local function quiet_left(quiet)
  local info = redis.pcall('INFO', 'server')
  local uptime = type(info) == 'string' and info:match('uptime_in_seconds:(%d+)')
  return uptime and math.max(0, quiet - uptime * 1000) or 0
end

local FINAL = { done = true, failed = true, cancelled = true, expired = true, dead = true }

-- Publication orders: three entries per message (id, lane, continuation).
local function order(out, id)
  out[#out + 1] = id
  out[#out + 1] = field(id, 'lane')
  out[#out + 1] = redis.call('GET', key('h', id)) or ''
end
