-- The head of a line: the first job in it that is still to be released. What was cancelled
-- meanwhile is passed over there, two commands each, however much of it there is.
local heads = {}

-- Whether the job at the head of a line is to be released; else it is where it belongs by now.
local function is_wanted(id)
  if jobs.state(id) ~= 'waiting' then
    return false
  end
  local batch = jobs.field(id, 'batch')
  if batch and batches.state(batch) == 'paused' then
    batches.unfeed(id, batch)
    return false
  end
  if documents.is_orphan(id) then
    ending.cancel(id)
    return false
  end
  return true
end

-- Take the head of a line, and how many ids were taken before it, `most` of them at most; nil if
-- there is none among those.
function heads.take(lane, user, most)
  local line = keys.waiting(lane, user)
  for passed = 0, most do
    local id = redis.call('LPOP', line)
    if not id or is_wanted(id) then
      return id or nil, passed
    end
  end
  return nil, most
end

return heads
