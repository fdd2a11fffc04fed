-- The function call under way: the root of its keys, its instant in milliseconds by the server's
-- clock, and until the next call the records of jobs and what else modules remember of what they
-- read.
local call = { root = '', now = 0, memory = {}, jobs = {} }

function call.begin(root)
  local clock = redis.call('TIME')
  call.root = root
  call.now = clock[1] * 1000 + math.floor(clock[2] / 1000)
  call.memory = {}
  call.jobs = {}
end

return call
