-- The function call under way: the root of its keys, its instant in milliseconds by the server's
-- clock, and what modules remember of what they read, until the next call.
local call = { root = '', now = 0, memory = {} }

function call.begin(root)
  local clock = redis.call('TIME')
  call.root = root
  call.now = clock[1] * 1000 + math.floor(clock[2] / 1000)
  call.memory = {}
end

return call
