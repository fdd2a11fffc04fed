-- The function call under way: the root of its keys, its instant in milliseconds by the server's
-- clock, and until the next call the records of jobs and what else modules remember of what they
-- read; and the instant of the first call that this process of the server has had.
local call = { root = '', now = 0, first = nil, memory = {}, limits = {}, jobs = {} }

function call.begin(root)
  local clock = redis.call('TIME')
  call.root = root
  call.now = clock[1] * 1000 + math.floor(clock[2] / 1000)
  call.first = call.first or call.now
  call.memory = {}
  call.limits = {}
  call.jobs = {}
end

return call
