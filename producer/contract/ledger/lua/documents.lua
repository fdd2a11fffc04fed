-- The parts of a long document, each a job of its own whose parent waits for them.
local documents = {}

-- A part has ended: its parent may go on once all have, or one of them failed.
function documents.part_ended(id, state)
  local parent = jobs.field(id, 'parent')
  if not parent or not jobs.state(parent) then
    return
  end
  local left = jobs.add(parent, 'parts', -1)
  if state ~= 'done' then
    jobs.set(parent, 'broken', 1)
  end
  if left <= 0 or state ~= 'done' then
    waiting.wake('parts:' .. parent, 1)
  end
end

-- The parts of a job that has ended are not wanted: the calls under way are stopped; the others
-- are cancelled when their turn comes.
function documents.stop_parts(id)
  if jobs.number(id, 'parts') <= 0 then
    return
  end
  for _, part in ipairs(open_jobs.all()) do
    if jobs.field(part, 'parent') == id then
      jobs.set(part, 'cancel', 1)
    end
  end
end

function documents.is_orphan(id)
  local parent = jobs.field(id, 'parent')
  if not parent then
    return false
  end
  return not jobs.state(parent) or jobs.has_ended(parent)
end

return documents
