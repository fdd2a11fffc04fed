-- Room: whether a provider link may take one more call, and what a call takes of it.
local room = {}

local LEAST_SHARE = 0.02  -- of its worst case a call is expected to take at least

-- Milliseconds until a link may take a call of so many tokens; 0 = now.
function room.wait_ms(link, tokens)
  if link.own_calls and link.out >= link.own_calls then
    return pace.LOOK_MS
  end
  local wait = 0
  if link.rate then
    wait = buckets.wait_ms(link.request_room, link.request_most, link.rate, 1)
  end
  if link.token_rate then
    local for_tokens =
      buckets.wait_ms(link.token_room, link.token_most, link.token_rate, tokens)
    wait = math.max(wait, for_tokens)
  end
  return wait
end

-- The tokens that a call will take: its worst case, by what came of the worst cases before; of a
-- call whose worst case is not known, the mean of late ones.
function room.expected_tokens(link, worst)
  if not link.answers then
    return worst or 0
  end
  if not worst then
    return link.real / link.answers
  end
  local share = math.max(LEAST_SHARE, link.real / link.worst)
  return worst * math.min(1, share)
end

function room.take(link, requests, tokens)
  if link.rate then
    link.request_room = math.min(link.request_most, link.request_room - requests)
  end
  if link.token_rate then
    link.token_room = math.min(link.token_most, link.token_room - tokens)
  end
end

return room
