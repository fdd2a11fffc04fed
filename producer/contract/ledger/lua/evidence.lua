-- Evidence: what the calls of the fleet say against a provider link. It is kept only while calls
-- fail, so a healthy call writes nothing of it.
local evidence = {}

local IN_A_ROW = 5         -- failures, as Envoy's outlier detection has it
local THIN = 3             -- failures in a row, where calls are so few that they took THIN_MS
local THIN_MS = 1500
local SILENT_MS = 2000     -- without an answer to anyone, after which it matters not who failed
local LEAST_CALLS = 10     -- in the window, before a rate means something
local RATE = 0.5           -- as resilience4j has it

-- Failures together: how many, since when, and whether of more than one job and user.
local function group()
  return { count = 0 }
end

local function add(found, id, user)
  if found.count == 0 then
    found.since, found.job, found.user = call.now, id, user
    found.sent = jobs.number(id, 'sent')
  end
  found.count = found.count + 1
  found.jobs = found.jobs or found.job ~= id
  found.users = found.users or found.user ~= user
end

-- The window slides with that of the link's calls.
local function turn(found, link)
  local past = link.window - found.window
  if past == 0 then
    return
  end
  found.window = link.window
  found.before = past == call_counts.WINDOW_MS and found.rate.count or 0
  found.rate.count = 0
  if found.before == 0 then
    found.rate = group()
  end
end

local function read(link)
  if not link.trouble then
    return nil
  end
  local found = cjson.decode(link.trouble)
  turn(found, link)
  return found
end

local function write(link, found)
  local over = found.row.count + found.doubts.count + found.rate.count + found.before == 0
  link.trouble = not over and cjson.encode(found) or nil
end

-- Failures of one job, or of one user of several, may be that job's or user's own.
local function is_confirmed(found, several)
  return found.jobs and (found.users or not several)
end

local function rate_is_high(found, link)
  local failed = found.rate.count + found.before
  local ended = math.max(failed, link.sent + link.before - link.out)
  return ended >= LEAST_CALLS and failed >= RATE * ended
end

-- Beside earlier calls that were answered meanwhile, the row has to be most of what could have
-- ended: of calls that take longer than to fail, the failed ones are known first.
local function is_most(row, link)
  return not row.earlier or row.count >= RATE * (row.count + row.earlier + link.out)
end

local function is_enough(found, link)
  local row = is_most(found.row, link) and found.row or group()
  local silent_ms = row.count > 0 and call.now - (row.heard or row.since) or 0
  if row.count >= IN_A_ROW and silent_ms >= SILENT_MS then
    return true
  end
  local several = found.others or redis.call('HLEN', keys.in_flight()) > 1
  if is_confirmed(found.doubts, several) then
    return true
  end
  local thin = row.count >= THIN and silent_ms >= THIN_MS
  if (thin or row.count >= IN_A_ROW) and is_confirmed(row, several) then
    return true
  end
  return rate_is_high(found, link) and is_confirmed(found.rate, several)
end

-- A call of `id` failed: the link does ('fails'), or perhaps only its model ('doubts'). Whether
-- there is enough by now to leave the link.
function evidence.add(link, id, says)
  local found = read(link)
  if not found then
    found = {
      window = link.window, before = 0, rate = group(), row = group(), doubts = group(),
    }
  end
  local user = jobs.field(id, 'user')
  if says == 'doubts' then
    add(found.doubts, id, user)
  else
    add(found.rate, id, user)
    add(found.row, id, user)
  end
  write(link, found)
  return is_enough(found, link)
end

-- A call of `id` was answered.
function evidence.answered(link, id)
  local found = read(link)
  if not found then
    return
  end
  local user = jobs.field(id, 'user')
  for _, each in ipairs({ found.row, found.rate, found.doubts }) do
    found.others = found.others or each.user and each.user ~= user
  end
  if jobs.number(id, 'sent') < (found.row.sent or 0) then
    -- It was sent before the first of the row, and is no answer to that.
    found.row.earlier, found.row.heard = (found.row.earlier or 0) + 1, call.now
  else
    found.row = group()
  end
  found.doubts = group()
  write(link, found)
end

-- When what fails now began to.
function evidence.since(link)
  local found = read(link)
  return found and (found.row.since or found.doubts.since or found.rate.since) or call.now
end

function evidence.forget(link)
  link.trouble = nil
end

return evidence
