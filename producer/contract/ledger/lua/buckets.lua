-- Token buckets for requests and tokens per minute: they refill at 98 % of the rate and hold 2 %
-- of it, so that no minute, wherever it begins, has more than the rate.
local buckets = {}

local SHARE = 0.98
local MINUTE_MS = 60000

-- What a bucket holds now, and at most.
function buckets.refilled(room, rate, since_ms)
  local most = math.max(1, (1 - SHARE) * rate)
  local refill = SHARE * rate * since_ms / MINUTE_MS
  return math.min(most, (room or most) + refill), most
end

-- Milliseconds until a bucket holds `cost`; one that costs more than it ever holds waits until it
-- is full.
function buckets.wait_ms(room, most, rate, cost)
  local lack = math.min(cost, most) - room
  return math.max(0, math.ceil(lack / (SHARE * rate) * MINUTE_MS))
end

return buckets
