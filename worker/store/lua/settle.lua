-- KEYS[1] root
-- ARGV    id, fence, state, outcome JSON, fault or '', billing, micro, tokens, cool ms, cache key or '', cache entry, cache ms
-- reply   {'ok' | 'late' | 'lost' | 'cancelled', publication orders...}
-- keeps   reply, cost, outcome and cached answer in one step; the first outcome wins, a late reply still books its true cost
local id, fence, state, fault = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[5]
local billing, micro, tokens = ARGV[6], tonumber(ARGV[7]), tonumber(ARGV[8])
local current = field(id, 'state')
if not current then return { 'lost' } end
local mine = current == 'running' and number(id, 'fence') == fence

if mine then
  local link = field(id, 'link')
  close_attempt(id, fence, fault, billing, micro, tokens)
  if tonumber(ARGV[9]) > 0 and link then redis.call('SET', key('cool', link), fault, 'PX', ARGV[9]) end
elseif billing == 'real' then
  book_reply(id, fence, micro, tokens)
end
if ARGV[10] ~= '' then redis.call('SET', ARGV[10], ARGV[11], 'PX', ARGV[12]) end
if FINAL[current] then return release({ 'late' }) end
if not mine and state ~= 'done' then return release({ 'lost' }) end
if current == 'running' and not mine and field(id, 'link') then doubt(id, number(id, 'fence')) end

local reply = 'ok'
if field(id, 'cancel') then
  finish(id, 'cancelled', CANCELLED)
  reply = 'cancelled'
else
  finish(id, state, ARGV[4])
end
return release({ reply })
