-- Publications: ids for the caller to put on the broker, with their lane and continuation.
local publications = {}

-- Workers of wire version 1 take it from the message; since 2 they take it from the ledger, and
-- the broker is told an id and no more.
local function continuation(id)
  if jobs.number(id, 'wire') > 1 then
    return ''
  end
  return redis.call('GET', keys.continuation(id)) or ''
end

function publications.add(list, id)
  list[#list + 1] = {
    id,
    jobs.field(id, 'lane'),
    continuation(id),
  }
end

return publications
