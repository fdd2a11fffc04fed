-- Publications: ids for the caller to put on the broker, with their lane and continuation.
local publications = {}

function publications.add(list, id)
  list[#list + 1] = {
    id,
    jobs.field(id, 'lane'),
    redis.call('GET', keys.continuation(id)) or '',
  }
end

return publications
