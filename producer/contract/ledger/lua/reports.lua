-- Ended jobs whose outcome waits in a process for the result backend. While that process lives it
-- says so again and again; if it dies, their ids are published, and a later delivery reports them.
local reports = {}

local AGAIN_MS = 120000

function reports.wait(id)
  redis.call('ZADD', keys.unreported(), call.now + AGAIN_MS, id)
end

-- Add those to `list` of which nobody has said for long that they wait.
function reports.publish(limit, list)
  local key = keys.unreported()
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', key, '-inf', call.now, 'LIMIT', 0, limit)) do
    if jobs.has_ended(id) and not jobs.field(id, 'reported') then
      reports.wait(id)
      publications.add(list, id)
    else
      redis.call('ZREM', key, id)
    end
  end
end

return reports
