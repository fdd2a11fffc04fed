-- The function call under way: the root of its keys, its instant in milliseconds by the server's
-- clock, and until the next call the records of jobs and what else modules remember of what they
-- read; the instant of the first call that this process of the server has had; and whether this
-- server is the broker, too.
local call = {
  root = '', now = 0, first = nil, is_broker = false, memory = {}, limits = {}, jobs = {},
}

function call.begin(root, is_broker)
  local clock = redis.call('TIME')
  call.root = root
  call.is_broker = is_broker
  call.instant = clock[1] .. '.' .. clock[2]
  call.now = clock[1] * 1000 + math.floor(clock[2] / 1000)
  call.first = call.first or call.now
  call.memory = {}
  call.limits = {}
  call.jobs = {}
end

return call
