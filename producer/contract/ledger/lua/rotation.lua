-- Rotation: which ring of a lane is served next, the one of lines that wait for their turn only or
-- that of a provider link.
local rotation = {}

-- A gated line may move: its link has room, or is in such trouble that the jobs must decide for
-- themselves.
local function is_open(name)
  local link = pace.of(name)
  if not circuits.is_closed(link) then
    return true
  end
  return room.wait_ms(link, room.expected_tokens(link)) == 0
end

-- The ring of a lane to serve next and, if it has rivals, its turn: rings too are served by
-- virtual time, each weighing as much as it has users. Nil if no ring has a user to serve.
function rotation.pick(lane)
  local open = {}
  if not rings.is_empty(lane, '') then
    open[1] = ''
  end
  for _, link in ipairs(lanes.gates()) do
    if not rings.is_empty(lane, link) and is_open(link) then
      open[#open + 1] = link
    end
  end
  if #open <= 1 then
    return open[1]
  end
  local chosen, turn
  for _, link in ipairs(open) do
    local own = rings.turn(lane, link)
    if not turn or own < turn then
      chosen, turn = link, own
    end
  end
  return chosen, turn
end

return rotation
