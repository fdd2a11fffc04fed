-- Budgets: what a user, a group, the fleet or a batch may use in a window. A hash with the fields
-- h (held), u<slot> (spent) and m<slot> (possibly billed). Only a budget with a limit is written.
local budgets = {}

local KEPT_MS = 172800000  -- beyond the window

-- Whether it is in use. A call asks once.
local function exists(budget)
  if call.memory[budget.key] == nil then
    call.memory[budget.key] = redis.call('EXISTS', budget.key) == 1
  end
  return call.memory[budget.key]
end

-- The budget of one subject. `limit`: of windows.LIMITS, where a job draws on it.
function budgets.of(kind, subject, window, limit)
  local known = limit and call.memory[limit]
  if known and known.subject == subject then
    return known
  end
  local key = windows.key(kind, subject, window)
  local made = { key = key, subject = subject, window = window, unit = window.unit, limit = limit }
  if limit then
    call.memory[limit] = made
  end
  return made
end

-- Those of a job that have a limit, and the limits beside them.
function budgets.limited(id)
  local found, allowed = {}, {}
  local subjects = windows.subjects(id)
  for _, limit in ipairs(windows.LIMITS) do
    local subject = subjects[limit.kind]
    local most = subject and windows.allowed(limit.kind, subject, limit.window) or -1
    if most >= 0 then
      found[#found + 1] = budgets.of(limit.kind, subject, limit.window, limit)
      allowed[#found] = most
    end
  end
  return found, allowed
end

function budgets.codes(list)
  local codes = ''
  for _, budget in ipairs(list) do
    codes = codes .. budget.limit.code
  end
  return codes
end

-- Those in use of a list. Most jobs have one limit, so all others are asked for at once.
local function in_use(list)
  local unknown, found = {}, {}
  for _, budget in ipairs(list) do
    unknown[#unknown + 1] = call.memory[budget.key] == nil and budget.key or nil
  end
  local none = #unknown > 0 and redis.call('EXISTS', unpack(unknown)) == 0
  for _, key in ipairs(none and unknown or {}) do
    call.memory[key] = false
  end
  for _, budget in ipairs(list) do
    found[#found + 1] = exists(budget) and budget or nil
  end
  return found
end

-- Of a job's budgets, those that `codes` name; without codes those that are in use.
function budgets.among(id, codes)
  local found = {}
  local subjects = windows.subjects(id)
  for _, limit in ipairs(windows.LIMITS) do
    local subject = subjects[limit.kind]
    if subject and (not codes or codes:find(limit.code, 1, true)) then
      found[#found + 1] = budgets.of(limit.kind, subject, limit.window, limit)
    end
  end
  return codes and found or in_use(found)
end

local function slot_of(budget, at_ms)
  return windows.slot(budget.window, at_ms)
end

function budgets.is_in_window(budget, at_ms)
  return slot_of(budget, call.now) - slot_of(budget, at_ms) < budget.window.slots
end

-- A slot ahead is from before the server's clock was set back: it counts as used now.
local function fetch_back(budget, name, amount, slot)
  redis.call('HDEL', budget.key, name)
  redis.call('HINCRBY', budget.key, name:sub(1, 1) .. slot, amount)
end

-- What a budget holds: used in the window, held, and the used amounts by slot. Slots outside the
-- window are dropped.
function budgets.read(budget)
  local last = slot_of(budget, call.now)
  local first = last - budget.window.slots + 1
  local used, held, slots, kept = 0, 0, {}, false
  local all = redis.call('HGETALL', budget.key)
  for i = 1, #all, 2 do
    local name, amount = all[i], tonumber(all[i + 1])
    local slot = tonumber(name:sub(2))
    if slot and slot < first then
      redis.call('HDEL', budget.key, name)
    elseif name == 'h' then
      held, kept = amount, true
    else
      if slot > last then
        fetch_back(budget, name, amount, last)
        slot = last
      end
      kept = true
      used = used + amount
      slots[#slots + 1] = { slot = slot, amount = amount, kind = name:sub(1, 1) }
    end
  end
  call.memory[budget.key] = kept
  return used, held, slots
end

-- What a budget that is kept no longer would owe is forgotten with it.
local function add(budget, name, amount)
  local is_new = not exists(budget)
  if is_new and amount < 0 then
    return
  end
  redis.call('HINCRBY', budget.key, name, amount)
  call.memory[budget.key] = true
  if is_new then
    budgets.keep(budget)
  end
end

function budgets.add_held(budget, amount)
  add(budget, 'h', amount)
end

-- `kind`: 'u' spent or 'm' possibly billed.
function budgets.add_used(budget, kind, amount, at_ms)
  add(budget, kind .. slot_of(budget, at_ms), amount)
end

function budgets.keep(budget)
  local window_ms = budget.window.slot_ms * budget.window.slots
  redis.call('PEXPIRE', budget.key, budget.window.life_ms or window_ms + KEPT_MS)
end

return budgets
