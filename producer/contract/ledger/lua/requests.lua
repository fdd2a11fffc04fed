-- What jobs ask. An item that is tried again reads the request of its first try.
local requests = {}

-- Whether a later try of this item has not ended.
function requests.is_needed(id)
  local later = jobs.field(id, 'again')
  while later do
    if jobs.state(later) and not jobs.has_ended(later) then
      return true
    end
    later = jobs.field(later, 'again')
  end
  return false
end

function requests.key(id)
  return keys.request(jobs.field(id, 'request_of') or id)
end

-- Forget a job, but not a request that a later try of the item still needs.
function requests.delete_with_job(id)
  if not requests.is_needed(id) then
    redis.call('DEL', requests.key(id))
  end
  jobs.delete(id)
end

return requests
