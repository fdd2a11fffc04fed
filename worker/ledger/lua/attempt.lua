-- KEYS[1] root
-- ARGV    id, fence, the settings' limits of a user (tokens per hour, requests per minute, micro-dollars per day) and of the fleet
--         (micro-dollars per day), then per candidate link: name, micro, tokens, the operator's requests per minute, tokens per
--         minute and calls at once; -1 = none
-- reply   {'go', index of the link, number of the attempt} | {'lost'} | {'cancelled'}
--         {'cooling', ms, wait list or ''} | {'paced', ms, wait list}
--         {'over' | 'held', limit name, allowed, used, held, asked, ms until it fits or -1 = never, wait list}
-- keeps   `behind` tells whoever ends this job which waiters to wake;
--         intent, hold and pace are written before the wire, all limits or none; used + held never exceeds a limit
local id, fence = ARGV[1], tonumber(ARGV[2])
if field(id, 'state') ~= 'running' or number(id, 'fence') ~= fence then return { 'lost' } end
if field(id, 'cancel') then return { 'cancelled' } end

local granted = field(id, 'grant')
local chosen, soonest, list, full
for i = 7, #ARGV, 6 do
  local function own(at) return tonumber(ARGV[i + at]) > 0 and tonumber(ARGV[i + at]) end
  local pace = pace_of(ARGV[i], { own_requests = own(3), own_tokens = own(4), own_calls = own(5) })
  local wait, behind = cooling(pace)
  local paced = wait == 0 and granted ~= ARGV[i] and pause(pace, expected(pace, tonumber(ARGV[i + 2]))) or 0
  if wait + paced == 0 then chosen = i break end
  if (paced > 0) == (full or false) and wait + paced < (soonest or math.huge) or paced > 0 and not full then
    soonest, full, list = wait + paced, paced > 0, paced > 0 and 'pace:' .. ARGV[i] or behind
  end
  save(pace)
end
if not chosen then return { full and 'paced' or 'cooling', soonest, list } end
local link, asked = ARGV[chosen], { micro = tonumber(ARGV[chosen + 1]), tokens = tonumber(ARGV[chosen + 2]), requests = 1 }
local limits = settings_limits(3)

local function fits_after(budget, slots, used, want, limit)
  if want > limit or budget.shape == SHAPES.whole then return -1 end
  table.sort(slots, function(a, b) return a.slot < b.slot end)
  for _, s in ipairs(slots) do
    used = used - s.amount
    if used + want <= limit then return (s.slot + budget.shape.slots) * budget.shape.slot - now end
  end
  return 0
end

local all = budgets(id)
for _, budget in ipairs(all) do
  local want, limit = asked[budget.unit], limit_of(budget, limits)
  if limit >= 0 then
    local used, on_hold, slots = read_budget(budget)
    if used + on_hold + want > limit then
      redis.call('HSET', job_key(id), 'behind', 'budget:' .. budget.key, 'seen_held', on_hold)
    end
    if used + on_hold + want > limit and payer(id) then
      redis.call('HSET', key('b', payer(id)), 'held_by', budget.name, 'held_at', now)
    end
    if used + want > limit then
      return { 'over', budget.name, limit, used, on_hold, want, fits_after(budget, slots, used, want, limit) }
    elseif used + on_hold + want > limit then
      return { 'held', budget.name, limit, used, on_hold, want, 0, 'budget:' .. budget.key }
    end
  end
end

for _, budget in ipairs(all) do add(budget, 'h', asked[budget.unit]) end
local pace = pace_of(link)
local tokens = expected(pace, asked.tokens)
if granted == link then
  take_room(pace, 0, tokens - number(id, 'paced'))
  if pace.half then pace.probe = id end
  redis.call('HDEL', job_key(id), 'grant')
else
  ungrant(id)
  enter(id, pace, tokens)
  if granted then gate(field(id, 'lane'), field(id, 'user'), '') end
end
save(pace)
redis.call('HSET', job_key(id), 'link', link, 'held_micro', asked.micro, 'held_tokens', asked.tokens, 'paced', tokens, 'sent', now)
redis.call('HDEL', job_key(id), 'behind')
if payer(id) then redis.call('HINCRBY', key('b', payer(id)), 'calls', 1) end
redis.call('HSET', job_key(id), 'on' .. fence, link)
return { 'go', (chosen - 7) / 6, redis.call('HINCRBY', job_key(id), 'attempts', 1) }
