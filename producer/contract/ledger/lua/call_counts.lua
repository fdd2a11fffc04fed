-- Call counts: of a provider link's calls in windows of ten seconds, how many were sent, refused
-- with a 429, and answered.
local call_counts = {}

call_counts.WINDOW_MS = 10000
local WINDOWS = 6  -- so many past ones reach back a minute
local MINUTE_MS = 60000
local LEAST_MS = 1000
local LEAST = 6         -- per minute
local LEAST_LATELY = 60  -- per minute: little can be said of a few calls

-- window, sent, refused: of this one; before: sent in the one before. `past`: the calls refused in
-- the window before, then those not refused in each of the past ones, with blanks between.
local function past_of(link)
  local found = {}
  for number in (link.past or ''):gmatch('%S+') do
    found[#found + 1] = tonumber(number)
  end
  for i = #found + 1, WINDOWS + 1 do
    found[i] = 0
  end
  return found
end

-- This window is over, and so many others without a call.
local function keep(link, others)
  local past = past_of(link)
  past[1] = others == 0 and link.refused or 0
  table.insert(past, 2, (link.sent or 0) - link.refused)
  for _ = 1, math.min(others, WINDOWS) do
    table.insert(past, 2, 0)
  end
  link.past = table.concat(past, ' ', 1, WINDOWS + 1)
end

-- Begins a new window where the last one is over.
function call_counts.turn(link)
  link.refused = link.refused or 0
  local past = math.floor((call.now - (link.window or 0)) / call_counts.WINDOW_MS)
  if past <= 0 then
    return
  end
  local next_door = past == 1 and link.window
  if link.window then
    keep(link, past - 1)
  end
  link.before = next_door and link.sent or 0
  link.window = next_door and link.window + call_counts.WINDOW_MS or call.now
  link.sent, link.refused = 0, 0
  link.turned = true
end

-- One more is refused; which share of the calls that ended in two windows is.
function call_counts.add_refused(link)
  link.refused = link.refused + 1
  local ended = math.max(1, link.sent + link.before - link.out)
  return (link.refused + past_of(link)[1]) / ended
end

function call_counts.answered_in_a_minute(link)
  local past = past_of(link)
  local left = 1 - (call.now - link.window) / call_counts.WINDOW_MS
  local sum = link.sent - link.refused - link.out + past[WINDOWS + 1] * left
  for i = 2, WINDOWS do
    sum = sum + past[i]
  end
  return math.max(LEAST, sum)
end

-- Calls per minute, by two windows; those on their way count as answered.
function call_counts.answered_lately(link)
  local span_ms = call.now - link.window
  if link.before > 0 then
    span_ms = span_ms + call_counts.WINDOW_MS
  end
  local answered = link.sent - link.refused + link.before - past_of(link)[1]
  return math.max(LEAST_LATELY, answered * MINUTE_MS / math.max(LEAST_MS, span_ms))
end

return call_counts
