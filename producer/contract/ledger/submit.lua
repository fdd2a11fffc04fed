-- KEYS[1] root
-- ARGV    per job, seventeen each: id, user, lane, fingerprint, request JSON, continuation JSON or '', deadline ms from now or 0,
--         delay ms, idempotency key or '', id of the dead letter this replays or '', batch or '', the item's own name there or '',
--         the outcome of one that is wrong from the start or '', the job this is a part of or '', the document it reads or '',
--         its tags, comma separated,
--         the oldest wire version that can read it
-- reply   {'new' | 'same' | 'conflict' | 'closed', id of the job, the same of each further job..., '|', publication orders...}
-- keeps   record, request, line and release are one step; repeating it with the same id or idempotency key changes nothing
local EACH = 17

local function submit(id, user, lane, fingerprint, request, after, deadline, delay, idempotency, replays, batch, name, wrong,
                      parent, document, tags, wire)
  local idempotent = idempotency ~= '' and key('ik', user, idempotency)
  local before = idempotent and redis.call('GET', idempotent) or id
  local known = field(before, 'fp')
  if known then return known == fingerprint and 'same' or 'conflict', before end
  local state = batch ~= '' and redis.call('HGET', key('b', batch), 'state')
  if batch ~= '' and state ~= 'open' and state ~= 'paused' then return 'closed', id end

  if replays ~= '' then
    redis.call('HSET', job_key(id), 'replays', replays)
    if redis.call('EXISTS', key('d', replays)) == 1 then redis.call('HSET', key('d', replays), 'replayed', id) end
  end
  -- One that is to begin later counts from then.
  redis.call('HSET', job_key(id), 'user', user, 'lane', lane, 'fp', fingerprint, 'at', now + tonumber(delay), 'fence', 0)
  if idempotent then
    redis.call('SET', idempotent, id, 'PX', 86400000)
    redis.call('HSET', job_key(id), 'ik', idempotency)
  end
  local group = redis.call('HGET', key('lim', 'user', user), 'group')
  if group then redis.call('HSET', job_key(id), 'group', group) end
  if tonumber(wire) > 1 then redis.call('HSET', job_key(id), 'wire', wire) end
  if tags ~= '' then redis.call('HSET', job_key(id), 'tags', tags) end
  if wrong == '' then redis.call('SET', key('q', id), request) end
  if after ~= '' then redis.call('SET', key('h', id), after) end
  if tonumber(deadline) > 0 then
    redis.call('HSET', job_key(id), 'deadline', now + tonumber(deadline))
    redis.call('ZADD', key('dl'), now + tonumber(deadline), id)
  end
  if document ~= '' and wrong == '' then hold_document(id, document) end
  count('submitted')
  if batch ~= '' then
    redis.call('HSET', job_key(id), 'batch', batch)
    if name ~= '' then redis.call('HSET', job_key(id), 'name', name) end
    redis.call('HINCRBY', key('b', batch), 'submitted', 1)
    stage(id, batch)
    if wrong ~= '' then finish(id, 'failed', wrong) else feed(batch) end
  elseif parent ~= '' then
    redis.call('HSET', job_key(id), 'parent', parent)
    if payer(parent) then redis.call('HSET', job_key(id), 'of', payer(parent)) end
    redis.call('HINCRBY', job_key(parent), 'parts', 1)
    to_waiting(id, true)
  elseif tonumber(delay) > 0 then
    redis.call('HSET', job_key(id), 'state', 'parked')
    redis.call('ZADD', key('park'), now + tonumber(delay), id)
  else
    to_waiting(id)
  end
  return 'new', id
end

local out = {}
for at = 1, #ARGV, EACH do
  out[#out + 1], out[#out + 2] = submit(unpack(ARGV, at, at + EACH - 1))
end
out[#out + 1] = '|'
return release(out)
