-- KEYS[1] root
-- ARGV    id, fence, state, outcome JSON, fault or '', billing, micro, tokens, cool ms, told (see heed),
--         cache key or '', cache entry, cache ms, output tokens
-- reply   {'ok' | 'late' | 'lost' | 'cancelled', publication orders...}
-- keeps   reply, cost, outcome and cached answer in one step; the first outcome wins, a late reply still books its true cost
local id, fence, state, fault = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[5]
local end_ = { billing = ARGV[6], micro = tonumber(ARGV[7]), tokens = tonumber(ARGV[8]), output = tonumber(ARGV[14]),
               cool = tonumber(ARGV[9]), told = ARGV[10] }
local current = field(id, 'state')
if not current then return { 'lost' } end
local mine = current == 'running' and number(id, 'fence') == fence

if mine then
  close_attempt(id, fence, fault, end_)
elseif end_.billing == 'real' then
  book_reply(id, fence, end_)
end
if ARGV[11] ~= '' then redis.call('SET', ARGV[11], ARGV[12], 'PX', ARGV[13]) end
if FINAL[current] then return release({ 'late' }) end
if not mine and state ~= 'done' then return release({ 'lost' }) end
if current == 'running' and not mine then close_attempt(id, number(id, 'fence'), 'lost', UNHEARD) end

local reply = 'ok'
if field(id, 'cancel') then
  finish(id, 'cancelled', CANCELLED)
  reply = 'cancelled'
else
  finish(id, state, ARGV[4])
end
return release({ reply })
