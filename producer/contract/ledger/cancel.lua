-- KEYS[1] root
-- ARGV    id
-- reply   {state after: 'cancelled' | 'cancelling' | a final state | 'missing', publication orders...}
-- keeps   a job not yet running ends here, and is published once more as the messenger of its end
local id = ARGV[1]
local state = field(id, 'state')
if not state then return { 'missing' } end
if FINAL[state] then return { state } end
if state == 'running' then
  redis.call('HSET', job_key(id), 'cancel', 1)
  return { 'cancelling' }
end
finish(id, 'cancelled', CANCELLED)
local out = { 'cancelled' }
order(out, id)
return release(out)
