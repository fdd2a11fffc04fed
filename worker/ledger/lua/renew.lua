-- KEYS[1] root
-- ARGV    lease ms, then pairs: id, fence
-- reply   {lost ids..., '|', ids somebody asked to cancel...}
-- keeps   a lease is renewed only by the fence that holds it
local lost, cancel = {}, {}
for i = 2, #ARGV, 2 do
  local id, fence = ARGV[i], tonumber(ARGV[i + 1])
  if field(id, 'state') == 'running' and number(id, 'fence') == fence then
    redis.call('ZADD', key('open'), 'XX', now + tonumber(ARGV[1]), id)
    if field(id, 'cancel') then cancel[#cancel + 1] = id end
  else
    lost[#lost + 1] = id
  end
end
lost[#lost + 1] = '|'
for _, id in ipairs(cancel) do lost[#lost + 1] = id end
return lost
