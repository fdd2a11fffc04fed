-- KEYS[1] root
-- ARGV    id, fence, then the four limits in the order of budgets() (-1 = none), then per candidate link: name, micro, tokens
-- reply   {'go', index of the link, number of the attempt} | {'lost'} | {'cancelled'} | {'cooling', ms}
--         {'over' | 'held', limit name, allowed, used, held, asked, ms until it fits or -1 = never, wait list}
-- keeps   `behind` tells whoever ends this job which waiters to wake;
--         intent and hold are written before the wire, all limits or none; used + held never exceeds a limit
local id, fence = ARGV[1], tonumber(ARGV[2])
if field(id, 'state') ~= 'running' or number(id, 'fence') ~= fence then return { 'lost' } end
if field(id, 'cancel') then return { 'cancelled' } end

local chosen, soonest
for i = 7, #ARGV, 3 do
  local ttl = redis.call('PTTL', key('cool', ARGV[i]))
  if ttl <= 0 then chosen = i break end
  soonest = math.min(soonest or ttl, ttl)
end
if not chosen then return { 'cooling', soonest } end
local link, asked = ARGV[chosen], { micro = tonumber(ARGV[chosen + 1]), tokens = tonumber(ARGV[chosen + 2]), requests = 1 }

-- What a budget holds: used in the window, held, and the used amounts by slot. Slots outside the window are dropped.
local function read(budget)
  local first, used, on_hold, slots = slot_of(budget, now) - budget.shape.slots + 1, 0, 0, {}
  local all = redis.call('HGETALL', budget.key)
  for i = 1, #all, 2 do
    local amount = tonumber(all[i + 1])
    if all[i] == 'h' then
      on_hold = amount
    else
      local slot = tonumber(all[i]:sub(2))
      if slot < first then
        redis.call('HDEL', budget.key, all[i])
      else
        used = used + amount
        slots[#slots + 1] = { slot = slot, amount = amount }
      end
    end
  end
  return used, on_hold, slots
end

local function fits_after(budget, slots, used, want, limit)
  if want > limit then return -1 end
  table.sort(slots, function(a, b) return a.slot < b.slot end)
  for _, s in ipairs(slots) do
    used = used - s.amount
    if used + want <= limit then return (s.slot + budget.shape.slots) * budget.shape.slot - now end
  end
  return 0
end

local all = budgets(field(id, 'user'))
for i, budget in ipairs(all) do
  local limit, want = tonumber(ARGV[2 + i]), asked[budget.unit]
  if limit >= 0 then
    local used, on_hold, slots = read(budget)
    if used + on_hold + want > limit then
      redis.call('HSET', job_key(id), 'behind', 'budget:' .. budget.key, 'seen_held', on_hold)
    end
    if used + want > limit then
      return { 'over', budget.name, limit, used, on_hold, want, fits_after(budget, slots, used, want, limit) }
    elseif used + on_hold + want > limit then
      return { 'held', budget.name, limit, used, on_hold, want, 0, 'budget:' .. budget.key }
    end
  end
end

for _, budget in ipairs(all) do add(budget, 'h', asked[budget.unit]) end
redis.call('HSET', job_key(id), 'link', link, 'held_micro', asked.micro, 'held_tokens', asked.tokens)
redis.call('HDEL', job_key(id), 'behind')
return { 'go', (chosen - 7) / 3, redis.call('HINCRBY', job_key(id), 'attempts', 1) }
