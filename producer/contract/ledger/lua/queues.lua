-- Queues: the broker's lists of ids, where the ledger's server is the broker, too. An id is put
-- there in the step that releases its job; who cannot (no right to it) is told the id.
local queues = {}

local DEFAULT_PREFIX = 'cc'

-- A message of Celery's protocol 2 as kombu writes it: without arguments, "[[], {}, {}]" in base64.
local MESSAGE = '{"body":"W1tdLCB7fSwge31d","content-encoding":"utf-8",'
  .. '"content-type":"application/json","headers":{"lang":"py","task":"completions.complete",'
  .. '"id":%s,"root_id":%s,"argsrepr":"()","kwargsrepr":"{}"},"properties":{"correlation_id":%s,'
  .. '"delivery_mode":2,"delivery_info":{"exchange":"","routing_key":"%s"},"priority":0,'
  .. '"body_encoding":"base64","delivery_tag":"%s.%d"}}'

local BEGINNING = MESSAGE:match('^(.-)%%')  -- says that it has no arguments

-- As in producer/contract/names.py.
local function name_of(lane)
  local prefix = call.root:match('^([^{}]+):')
  local fleet = prefix == DEFAULT_PREFIX and '' or prefix .. '.'
  return fleet .. 'completions.' .. lane
end

local sent = 0

-- Whether it is there now.
function queues.put(lane, id)
  if not call.is_broker then
    return false
  end
  sent = sent + 1
  local queue, text = name_of(lane), cjson.encode(id)
  local message = MESSAGE:format(text, text, text, queue, call.instant, sent)
  return type(redis.pcall('LPUSH', queue, message)) == 'number'
end

-- Messages of ids from a lane's queue, the oldest first, up to one that `put` did not put there:
-- that may have arguments, which would be lost with a worker that dies. And whether none is left.
function queues.take(lane, most)
  local queue = name_of(lane)
  local there = redis.call('LRANGE', queue, -most, -1)
  local ours = 0
  while ours < #there and there[#there - ours]:sub(1, #BEGINNING) == BEGINNING do
    ours = ours + 1
  end
  local taken = ours > 0 and redis.call('RPOP', queue, ours) or {}
  return taken, ours == #there and ours < most
end

return queues
