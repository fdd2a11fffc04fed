-- KEYS[1] root
-- ARGV    'open', batch, user, label, retention ms, micro-dollars at most or -1
--         'close', batch, items in all | 'pause' | 'resume' | 'cancel' | 'look', batch | 'retry', batch, ids of failed items...
-- reply   {state of the batch or 'missing'; for open 'new' | 'same' | 'conflict'; for retry the new ids, '|'; publication orders...}
--         for look {its hash, flat; '|'; the link its line waits for or ''; id and ms of the item that runs longest, or '', 0; now}
-- keeps   an item is tried again under a new id, with the request it had; what ended stays counted until then
local op, batch = ARGV[1], ARGV[2]
local b = key('b', batch)
local state = redis.call('HGET', b, 'state')

if op == 'open' then
  local user = redis.call('HGET', b, 'user')
  if user then return { user == ARGV[3] and 'same' or 'conflict' } end
  redis.call('HSET', b, 'user', ARGV[3], 'label', ARGV[4], 'ttl', ARGV[5], 'state', 'open', 'at', now)
  redis.call('ZADD', key('batches'), now, batch)
  for _, old in ipairs(redis.call('ZRANGE', key('batches'), 0, 4)) do
    if redis.call('EXISTS', key('b', old)) == 0 then redis.call('ZREM', key('batches'), old) end
  end
  if tonumber(ARGV[6]) >= 0 then redis.call('HSET', key('lim', 'batch', batch), 'usd', ARGV[6]) end
  return { 'new' }
end
if not state then return { 'missing' } end

if op == 'look' then
  local out, since, slowest = redis.call('HGETALL', b), now, ''
  for _, id in ipairs(redis.call('SMEMBERS', key('bl', batch))) do
    local began = number(id, 'began')
    if field(id, 'state') == 'running' and began > 0 and began < since then since, slowest = began, id end
  end
  for _, each in ipairs({ '|', gate_of('batch', redis.call('HGET', b, 'user')), slowest, now - since, now }) do out[#out + 1] = each end
  return out
end

local out = {}
if op == 'close' then
  redis.call('HSETNX', b, 'total', ARGV[3])
  close_if_done(batch)
elseif op == 'pause' and state == 'open' then
  redis.call('HSET', b, 'state', 'paused')
elseif op == 'resume' and state == 'paused' then
  redis.call('HSET', b, 'state', 'open')
  feed(batch)
elseif op == 'cancel' and (state == 'open' or state == 'paused') then
  redis.call('HSET', b, 'state', 'cancelled')
  redis.call('HSETNX', b, 'total', redis.call('HGET', b, 'submitted') or '0')
  redis.call('SADD', key('bends'), batch)
  for _, id in ipairs(redis.call('SMEMBERS', key('bl', batch))) do
    if field(id, 'state') == 'running' then redis.call('HSET', job_key(id), 'cancel', 1) else finish(id, 'cancelled', CANCELLED) end
  end
  close_if_done(batch)
elseif op == 'retry' then
  for i = 3, #ARGV do
    local old, request = ARGV[i], redis.call('GET', key('q', ARGV[i]))
    local ended = field(old, 'state')
    if request and FINAL[ended] and ended ~= 'done' and not field(old, 'again') then
      local item = old:match('^(.*)~%d+$') or old
      local id = item .. '~' .. redis.call('HINCRBY', key('br', batch), item, 1)
      local record = redis.call('HMGET', job_key(old), 'user', 'lane', 'fp', 'name', 'group', 'doc', 'tags', 'wire')
      redis.call('HSET', job_key(old), 'again', id)
      redis.call('HSET', job_key(id), 'user', record[1], 'lane', record[2], 'fp', record[3], 'at', now, 'fence', 0, 'batch', batch)
      if record[4] then redis.call('HSET', job_key(id), 'name', record[4]) end
      if record[5] then redis.call('HSET', job_key(id), 'group', record[5]) end
      if record[6] then hold_document(id, record[6]) end
      if record[7] then redis.call('HSET', job_key(id), 'tags', record[7]) end
      if record[8] then redis.call('HSET', job_key(id), 'wire', record[8]) end
      count('submitted')
      redis.call('SET', key('q', id), request)
      redis.call('DEL', key('q', old))
      redis.call('HINCRBY', b, GROUPS[ended] or 'failed', -1)
      stage(id, batch)
      out[#out + 1] = id
    end
  end
  if #out > 0 then
    redis.call('HSET', b, 'state', 'open')
    for _, kept in ipairs({ b, key('be', batch), key('br', batch), key('lim', 'batch', batch) }) do redis.call('PERSIST', kept) end
    feed(batch)
  end
  out[#out + 1] = '|'
end
table.insert(out, 1, redis.call('HGET', b, 'state'))
return release(out)
