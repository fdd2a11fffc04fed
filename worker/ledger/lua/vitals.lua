-- KEYS[1] root
-- ARGV    lines looked at most per ring, the settings' micro-dollars per day of the fleet or -1
-- reply   JSON {now, workers, slots, target, open, parked, dead, lanes: {lane: {waiting, oldest_ms}}, cooling: [[link, fault, ms left]],
--         skew: {worker: ms}, spent, maybe, budgets: [[kind, name, limit, used, allowed]]}
-- keeps   reads, but for slots that have left their window
local most, fleet_limit = tonumber(ARGV[1]), ARGV[2]
-- Of workers that live: one that died under an older version left its own behind.
local function skews()
  local flat, map = redis.call('HGETALL', key('skew')), {}
  for i = 1, #flat, 2 do
    if redis.call('ZSCORE', key('wk'), flat[i]) then map[flat[i]] = tonumber(flat[i + 1]) end
  end
  return map
end

local function waited(id)
  return field(id, 'state') == 'waiting' and now - tonumber(field(id, 'since') or field(id, 'at')) or 0
end

-- Of the first lines of each ring: how many jobs wait, and for how long the oldest has.
local function look(lane)
  local waiting, oldest = 0, 0
  local rings = { ring(lane, '') }
  for _, link in ipairs(gates()) do rings[#rings + 1] = ring(lane, link) end
  for _, each in ipairs(rings) do
    for _, user in ipairs(redis.call('ZRANGE', each, 0, most - 1)) do
      waiting = waiting + redis.call('LLEN', line(lane, user))
      local head = redis.call('LINDEX', line(lane, user), 0)
      if head then oldest = math.max(oldest, waited(head)) end
    end
  end
  return { waiting = waiting, oldest_ms = oldest }
end

local cooling = {}
for _, link in ipairs(redis.call('ZRANGEBYSCORE', key('cooling'), now, '+inf')) do
  local left = redis.call('PTTL', key('cool', link))
  if left > 0 then cooling[#cooling + 1] = { link, redis.call('GET', key('cool', link)) or '', left } end
end

local budgets = {}
local function budget(kind, name, each, allowed)
  if not allowed or tonumber(allowed) <= 0 then return end
  local used = read_budget({ key = key('bud', each.key, kind, name), shape = each.shape })
  budgets[#budgets + 1] = { kind, name, each.limit, used, tonumber(allowed) }
end
for i, subject in ipairs(redis.call('SMEMBERS', key('limited'))) do
  local kind, name = subject:match('^(%a+):(.*)$')
  if i > most then break end
  for _, each in ipairs(BUDGETS) do
    local own = redis.call('HGET', key('lim', kind, name), each.limit)
    if kind ~= 'fleet' then budget(kind, name, each, own) end
  end
end
budget('fleet', 'all', BUDGETS[3], redis.call('HGET', key('lim', 'fleet', 'all'), 'usd_per_day') or fleet_limit)

local today, spent, maybe = math.floor(now / SHAPES.usd.slot), 0, 0
local all = redis.call('HMGET', key('bud', 'usd', 'fleet', 'all'), 'u' .. today, 'm' .. today)
spent, maybe = tonumber(all[1] or '0'), tonumber(all[2] or '0')

local slots = 0
for _, n in ipairs(redis.call('HVALS', key('slots'))) do slots = slots + tonumber(n) end
return cjson.encode({
  now = now, workers = redis.call('ZCOUNT', key('wk'), now, '+inf'), slots = slots, target = config('target'),
  open = redis.call('ZCARD', key('open')), parked = redis.call('ZCARD', key('park')), dead = redis.call('ZCOUNT', key('dead'), 0, '+inf'),
  lanes = { interactive = look('interactive'), batch = look('batch') },
  cooling = cooling, skew = skews(), spent = spent, maybe = maybe, budgets = budgets,
})
