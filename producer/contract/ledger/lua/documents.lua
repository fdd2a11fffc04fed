-- Documents: stored texts that jobs read, kept while an unfinished job needs them; and the parts
-- of a long one, each a job of its own whose parent waits for them.
local documents = {}

local UNCLAIMED_MS = 3600000  -- until a job needs it: a piece of a batch is read well within

-- Jobs whose submission has stored this text and is still to come.
local function expected(sha)
  return tonumber(redis.call('GET', keys.document_expected(sha)) or 0)
end

function documents.store(sha, text)
  redis.call('SET', keys.document_expected(sha), expected(sha) + 1, 'PX', UNCLAIMED_MS)
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

-- A job that was expected has come.
function documents.claim_stored(id, sha)
  documents.claim(id, sha)
  local left = expected(sha) - 1
  if left > 0 then
    redis.call('SET', keys.document_expected(sha), left, 'PX', UNCLAIMED_MS)
  else
    redis.call('DEL', keys.document_expected(sha))
  end
end

-- A job no longer needs its document, but for `later_ms`; after the last one it is forgotten.
function documents.let_go(id, later_ms)
  local sha = jobs.field(id, 'doc')
  if not sha or redis.call('HINCRBY', keys.documents(), sha, -1) > 0 then
    return
  end
  redis.call('HDEL', keys.documents(), sha)
  if expected(sha) > 0 then
    later_ms = math.max(later_ms, UNCLAIMED_MS)
  end
  if later_ms > 0 then
    redis.call('PEXPIRE', keys.document(sha), later_ms)
  else
    redis.call('DEL', keys.document(sha))
  end
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
