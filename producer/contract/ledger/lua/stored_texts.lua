-- Stored texts, each kept once by its hash while an unfinished job needs it: documents, and large
-- parts of requests. A job's field `doc` has the hashes of its own, separated by commas.
local stored_texts = {}

local UNCLAIMED_MS = 3600000  -- until a job needs it: a piece of a batch is read well within

local function each_of(id)
  return (jobs.field(id, 'doc') or ''):gmatch('[^,]+')
end

-- Jobs whose submission has stored this text and is still to come.
local function expected(sha)
  return tonumber(redis.call('GET', keys.stored_text_expected(sha)) or 0)
end

-- One more job is to come for it. Whether it is there. (A producer may not read the texts.)
function stored_texts.expect(sha)
  local key = keys.stored_text(sha)
  if redis.call('EXISTS', key) == 0 then
    return false
  end
  redis.call('SET', keys.stored_text_expected(sha), expected(sha) + 1, 'PX', UNCLAIMED_MS)
  redis.call('PEXPIRE', key, UNCLAIMED_MS, 'GT')  -- leaves one without an end as it is
  return true
end

function stored_texts.store(sha, text)
  redis.call('SET', keys.stored_text(sha), text, 'NX', 'PX', UNCLAIMED_MS)
  stored_texts.expect(sha)
end

-- A job needs them: "hash,hash".
function stored_texts.claim(id, list)
  jobs.set(id, 'doc', list)
  for sha in each_of(id) do
    redis.call('HINCRBY', keys.stored_texts(), sha, 1)
    redis.call('PERSIST', keys.stored_text(sha))
  end
end

-- A job that was expected has come.
function stored_texts.claim_expected(id, list)
  stored_texts.claim(id, list)
  for sha in each_of(id) do
    local left = expected(sha) - 1
    if left > 0 then
      redis.call('SET', keys.stored_text_expected(sha), left, 'PX', UNCLAIMED_MS)
    else
      redis.call('DEL', keys.stored_text_expected(sha))
    end
  end
end

-- An ended job may be tried again for so long.
local function want(sha, later_ms)
  local key = keys.stored_text_wanted(sha)
  if not redis.call('SET', key, 1, 'NX', 'PX', later_ms) then
    redis.call('PEXPIRE', key, later_ms, 'GT')
  end
end

local function let_go(sha, later_ms)
  if later_ms > 0 then
    want(sha, later_ms)
  end
  if redis.call('HINCRBY', keys.stored_texts(), sha, -1) > 0 then
    return
  end
  redis.call('HDEL', keys.stored_texts(), sha)
  local left_ms = redis.call('PTTL', keys.stored_text_wanted(sha))
  if expected(sha) > 0 then
    left_ms = math.max(left_ms, UNCLAIMED_MS)
  end
  if left_ms > 0 then
    redis.call('PEXPIRE', keys.stored_text(sha), left_ms)
  else
    redis.call('DEL', keys.stored_text(sha))
  end
end

-- A job no longer needs its own, but for `later_ms`; after the last one they are forgotten.
function stored_texts.let_go(id, later_ms)
  for sha in each_of(id) do
    let_go(sha, later_ms)
  end
end

local function is_claimed(sha)
  return redis.call('HEXISTS', keys.stored_texts(), sha) == 1
end

-- Forget a job's own then at the latest, unless another job needs them.
function stored_texts.keep_until(id, until_ms)
  for sha in each_of(id) do
    if not is_claimed(sha) then
      redis.call('PEXPIRE', keys.stored_text(sha), until_ms - call.now, 'LT')
      redis.call('PEXPIRE', keys.stored_text_wanted(sha), until_ms - call.now, 'LT')
    end
  end
end

-- Forget a job's own now, unless another job needs them.
function stored_texts.forget(id)
  for sha in each_of(id) do
    if not is_claimed(sha) then
      redis.call('DEL', keys.stored_text(sha), keys.stored_text_wanted(sha))
    end
  end
end

return stored_texts
