-- Publications: ids that go to the broker. Where that is another server, or its message has more
-- than the id, the caller is told: id, lane and continuation.
local publications = {}

-- Workers of wire version 1 take it from the message; since 2 they take it from the ledger, and
-- the broker is told an id and no more.
local function continuation(id)
  if jobs.number(id, 'wire') > 1 then
    return ''
  end
  return redis.call('GET', keys.continuation(id)) or ''
end

-- That of a job that has ended brings a worker to report it: the next one does if that is lost.
function publications.add(list, id)
  if jobs.has_ended(id) then
    reports.wait(id)
  end
  local lane, after = jobs.field(id, 'lane'), continuation(id)
  if after ~= '' or not queues.put(lane, id) then
    list[#list + 1] = { id, lane, after }
  end
end

function publications.add_all(list, ids)
  for _, id in ipairs(ids) do
    publications.add(list, id)
  end
end

return publications
