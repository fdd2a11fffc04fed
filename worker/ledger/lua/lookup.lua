-- KEYS[1] root
-- ARGV    id, content hash, namespace, read (1: an answer may be taken), join (1: wait for an identical job in flight)
-- reply   {'hit' | 'lead' | 'follow', key of the cache entry, entry or '', the leader's id or '', now}
-- keeps   at most one live leader per key; a leader that ended or lost its record is replaced
local id, generation = ARGV[1], redis.call('HMGET', key('cgen'), 'all', 'ns:' .. ARGV[3])
local entry_key = key('c', (generation[1] or '0') .. '.' .. (generation[2] or '0'), ARGV[3], ARGV[2])
local entry = redis.call('GET', entry_key) or ''
local made, tags = entry:match('^%d+;(%d+);([^;]*);')
for tag in (tags or ''):gmatch('[^,]+') do
  if tonumber(redis.call('HGET', key('cgen'), 'tag:' .. tag) or '-1') >= tonumber(made) then entry = '' break end
end
if ARGV[4] == '1' and entry ~= '' and tonumber(entry:match('^(%d+);')) > now then
  return { 'hit', entry_key, entry, '', now }
end
if ARGV[5] ~= '1' then return { 'lead', entry_key, entry, '', now } end
local flight = key('sf', (generation[1] or '0') .. '.' .. (generation[2] or '0'), ARGV[3], ARGV[2])
local leader = redis.call('GET', flight)
if leader and leader ~= id then
  local state = field(leader, 'state')
  if state and not FINAL[state] then return { 'follow', entry_key, entry, leader, now } end
end
redis.call('SET', flight, id, 'PX', 86400000)
return { 'lead', entry_key, entry, '', now }
