-- Grants: room at a provider link, taken by a call, or set aside for a job that is about to call.
local grants = {}

-- A job's call goes to the link, or is about to.
function grants.enter(id, link, tokens)
  if not circuits.is_closed(link) then
    link.probe = id
  end
  link.out = link.out + 1
  link.sent = link.sent + 1
  room.take(link, 1, tokens)
end

-- Room is set aside for a job that is being released.
function grants.give(id, link)
  local tokens = room.expected_tokens(link)
  grants.enter(id, link, tokens)
  pace.save(link)
  jobs.set(id, 'grant', link.name, 'paced', tokens)
end

-- A grant is given back: the job went elsewhere, or ended.
function grants.take_back(id)
  local name = jobs.field(id, 'grant')
  if not name then
    return
  end
  local link = pace.of(name)
  link.out = link.out - 1
  link.sent = link.sent - 1
  if link.probe == id then
    link.probe = nil
  end
  room.take(link, -1, -jobs.number(id, 'paced'))
  pace.save(link)
  jobs.remove(id, 'grant', 'paced')
end

-- The job calls the link now, on its grant if it has one there. Whether it went elsewhere than
-- its grant said.
function grants.use(id, link, worst_tokens)
  local granted = jobs.field(id, 'grant')
  local tokens = room.expected_tokens(link, worst_tokens)
  if granted == link.name then
    room.take(link, 0, tokens - jobs.number(id, 'paced'))
    if not circuits.is_closed(link) then
      link.probe = id
    end
    jobs.remove(id, 'grant')
  else
    grants.take_back(id)
    grants.enter(id, link, tokens)
  end
  pace.save(link)
  jobs.set(id, 'paced', tokens)
  return granted and granted ~= link.name
end

return grants
