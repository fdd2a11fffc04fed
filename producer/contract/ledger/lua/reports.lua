-- Ended jobs of which the result backend has not been told, as far as is known. While a process
-- lives that will tell it, that process says so again and again; if it dies, their ids are
-- published, and a later delivery reports them.
local reports = {}

local AGAIN_MS = 120000

function reports.wait(id)
  redis.call('ZADD', keys.unreported(), call.now + AGAIN_MS, id)
end

function reports.done(id)
  jobs.set(id, 'reported', 1)
  redis.call('ZREM', keys.unreported(), id)
end

-- Those of which nobody has said for long that they wait.
function reports.overdue(limit)
  local key, found = keys.unreported(), {}
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', key, '-inf', call.now, 'LIMIT', 0, limit)) do
    if jobs.has_ended(id) and not jobs.field(id, 'reported') then
      found[#found + 1] = id
    else
      redis.call('ZREM', key, id)
    end
  end
  return found
end

return reports
