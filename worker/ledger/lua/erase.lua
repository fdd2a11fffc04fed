-- KEYS[1] root
-- ARGV    user, ids of jobs...
-- reply   {ids forgotten...}
-- keeps   only what is that user's and has ended is forgotten: record, request, outcome, idempotency key, dead letter, and a document
--         that nobody else needs
local user, forgotten = ARGV[1], {}
for i = 2, #ARGV do
  local id = ARGV[i]
  if redis.call('HGET', key('d', id), 'user') == user then
    redis.call('DEL', key('d', id))
    redis.call('ZREM', key('dead'), id)
  end
  if field(id, 'user') == user and FINAL[field(id, 'state')] then
    local document = field(id, 'doc')
    if document and redis.call('HEXISTS', key('docs'), document) == 0 then redis.call('DEL', key('doc', document)) end
    local idempotency = field(id, 'ik')
    if idempotency then redis.call('DEL', key('ik', user, idempotency)) end
    redis.call('DEL', job_key(id), key('q', id), key('h', id), key('o', id))
    forgotten[#forgotten + 1] = id
  end
end
return forgotten
