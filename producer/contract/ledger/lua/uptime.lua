-- The quiet time after a start of the server: nothing begins and nothing is swept until every
-- worker has settled again what the server may have forgotten.
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

-- Milliseconds left of it.
function uptime.quiet_left(quiet_ms)
  local since = call.now - started()
  if since < 0 then
    return 0  -- the server's clock was set back
  end
  return math.max(0, quiet_ms - since)
end

return uptime
