-- Documents: stored texts that jobs read, kept while an unfinished job needs them; and the parts
-- of a long one, each a job of its own whose parent waits for them.
local documents = {}

local UNCLAIMED_MS = 3600000  -- until a job needs it: a piece of a batch is read well within
local LEFT_MS = 600000        -- after the last job: another may be about to be submitted

function documents.store(sha, text)
  local key = keys.document(sha)
  if redis.call('SET', key, text, 'NX', 'PX', UNCLAIMED_MS) then
    return
  end
  if redis.call('PTTL', key) >= 0 then
    redis.call('PEXPIRE', key, UNCLAIMED_MS)
  end
end

function documents.claim(id, sha)
  jobs.set(id, 'doc', sha)
  redis.call('HINCRBY', keys.documents(), sha, 1)
  redis.call('PERSIST', keys.document(sha))
end

-- A job no longer needs its document; after the last one it is forgotten, `later_ms` from now or
-- shortly.
function documents.let_go(id, later_ms)
  local sha = jobs.field(id, 'doc')
  if not sha or redis.call('HINCRBY', keys.documents(), sha, -1) > 0 then
    return
  end
  redis.call('HDEL', keys.documents(), sha)
  redis.call('PEXPIRE', keys.document(sha), math.max(later_ms, LEFT_MS))
end

-- Forget a job's document then at the latest, unless another job needs it.
function documents.keep_until(id, until_ms)
  local sha = jobs.field(id, 'doc')
  if sha and redis.call('HEXISTS', keys.documents(), sha) == 0 then
    redis.call('PEXPIRE', keys.document(sha), until_ms - call.now, 'LT')
  end
end

-- Forget a job's document now, unless another job needs it.
function documents.forget(id)
  local sha = jobs.field(id, 'doc')
  if sha and redis.call('HEXISTS', keys.documents(), sha) == 0 then
    redis.call('DEL', keys.document(sha))
  end
end

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
