-- Circuits: whether a provider link may be called, by the evidence of the whole fleet. Closed:
-- calls flow. Open: none until a time. Half-open: that time is over, and one call, the probe, goes
-- first; its answer closes the circuit, its failure opens it for twice as long. A short pause that
-- a provider asked for is no failure: when it is over, calls flow.
local circuits = {}

local LONGEST_MS = 60000  -- between two probes, unless the provider asks for more
local CALM_MS = 60000     -- closed for so long, the next opening is one step shorter
local SHORT_MS = 10000    -- a pause that was asked for ends without a probe, if it was no longer
local OVERDUE_MS = 3000   -- a half-open link waits so long for a short job, then takes any
local SHORT = 1.25        -- of the mean of the link's calls: where all are alike, all are short

-- `till`: of an open or half-open one; `since`: when it began to fail; `why`; `told`: the provider
-- asked for it; `level`: openings, which make the next one longer; `closed`: since when it is.
function circuits.read(link)
  if not link.circuit then
    return { level = 0 }
  end
  return cjson.decode(link.circuit)
end

local function write(link, circuit)
  link.circuit = cjson.encode(circuit)
  if circuit.till then
    redis.call('ZADD', keys.cooling(), circuit.till, link.name)
  end
end

function circuits.is_closed(link)
  local circuit = circuits.read(link)
  return not circuit.till or circuit.flows and circuit.till <= call.now
end

local function level_now(circuit)
  if not circuit.closed then
    return circuit.level
  end
  return math.max(0, circuit.level - math.floor((call.now - circuit.closed) / CALM_MS))
end

local function open(link, bill)
  local circuit = circuits.read(link)
  local level = level_now(circuit)
  local longest_ms = math.max(LONGEST_MS, bill.opening_ms)
  local open_ms = math.min(longest_ms, bill.opening_ms * 2 ^ level)
  write(link, {
    till = call.now + math.max(open_ms, bill.told_ms),
    since = circuit.till and not circuit.told and circuit.since or evidence.since(link),
    why = bill.reason,
    level = level + 1,
  })
  evidence.forget(link)
end

-- The provider asked to be left alone: it is, but that is no failure.
local function pause(link, bill)
  local circuit = circuits.read(link)
  local till = call.now + bill.told_ms
  if circuit.till and circuit.till >= till then
    return
  end
  local fails = circuit.till and not circuit.told
  write(link, {
    till = till,
    since = not circuits.is_closed(link) and circuit.since or call.now,
    why = fails and circuit.why or bill.reason,
    told = not fails,
    flows = not fails and bill.told_ms <= SHORT_MS,
    level = level_now(circuit),
    closed = circuit.closed and call.now,
  })
end

local function close(link)
  local level = level_now(circuits.read(link))
  link.circuit = level > 0 and cjson.encode({ level = level, closed = call.now }) or nil
end

-- A call of `id` has ended, and says something of its link. Whether the link is itself again.
function circuits.judge(link, id, bill)
  local probed = link.probe == id
  if probed then
    link.probe = nil
  end
  local closed = circuits.is_closed(link)
  if bill.says == 'answers' then
    evidence.answered(link, id)
    if closed and not circuits.read(link).till or not closed and not probed then
      return false
    end
    close(link)
    return not closed
  end
  local fails = bill.says == 'fails' or bill.says == 'doubts'
  local certain = bill.says == 'refuses' or probed and fails
  if closed and fails then
    certain = evidence.add(link, id, bill.says)
  end
  if certain and (closed or probed) then
    open(link, bill)
  elseif bill.told_ms > 0 then
    pause(link, bill)
  end
  return false
end

-- The server's clock was set back by so much.
function circuits.fetch_back(link, by_ms)
  local circuit = circuits.read(link)
  for _, field in ipairs({ 'till', 'since', 'closed' }) do
    circuit[field] = circuit[field] and circuit[field] + by_ms
  end
  if link.circuit then
    write(link, circuit)
    pace.save(link)
  end
end

-- The job that probes the link now, if any.
function circuits.prober(link)
  return link.probe and jobs.state(link.probe) == 'running' and link.probe or nil
end

local function may_probe(link, id, tokens, overdue_ms)
  local prober = circuits.prober(link)
  if prober then
    return prober == id
  end
  local mean = link.answers and link.worst / link.answers
  return not mean or not tokens or tokens <= SHORT * mean or overdue_ms >= OVERDUE_MS
end

-- Why a job may not call the link now; nil if it may. `tokens`: of its call; nil = not known.
function circuits.obstacle(link, id, tokens)
  if circuits.is_closed(link) then
    return nil
  end
  local circuit = circuits.read(link)
  local left_ms = circuit.till - call.now
  if left_ms <= 0 and may_probe(link, id, tokens, -left_ms) then
    return nil
  end
  return {
    verdict = circuit.told and 'cooling' or 'open', wait_ms = math.max(left_ms, pace.LOOK_MS),
  }
end

return circuits
