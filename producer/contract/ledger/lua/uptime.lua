-- The quiet time after a start of the server, or after its clock was set: nothing that is older
-- begins and nothing is swept until every worker has settled again what the server may have
-- forgotten, and has renewed its leases.
local uptime = {}

-- This variable lives as long as the server's process: a restart or failover loads the library
-- anew. So the server is asked once, not at every start of a job.
local started_ms

local function started()
  if not started_ms then
    local info = redis.pcall('INFO', 'server')
    local seconds = type(info) == 'string' and info:match('uptime_in_seconds:(%d+)')
    -- A server that may not be asked counts as having run for ever.
    started_ms = seconds and call.now - seconds * 1000 or 0
  end
  return started_ms
end

-- Milliseconds left of it, for a job that was submitted then. The server tells its start up to a
-- second too late: what came after its first call is younger all the same.
function uptime.quiet_left(quiet_ms, submitted_ms)
  local longest = 0
  for _, instant in ipairs({ started(), config.number('clock_set') }) do
    local since = call.now - instant
    local born = instant == started_ms and math.min(instant, call.first) or instant
    local younger = submitted_ms >= born
    if since >= 0 and not younger then  -- else the clock was set back
      longest = math.max(longest, quiet_ms - since)
    end
  end
  return longest
end

return uptime
