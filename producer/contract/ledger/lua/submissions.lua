-- Submissions: a new job's record and request, and where it waits at first.
local submissions = {}

local IDEMPOTENCY_MS = 86400000

-- The id that a submission is known under: that of an earlier one with its idempotency key.
function submissions.known_as(job)
  if job.idempotency_key == '' then
    return job.id
  end
  local key = keys.idempotency(job.user, job.idempotency_key)
  return redis.call('GET', key) or job.id
end

local function set_optional(job)
  local group = caps.group_of(job.user)
  local optional = {
    ik = job.idempotency_key, group = group or '', replays = job.replays, tags = job.tags,
  }
  for name, value in pairs(optional) do
    if value ~= '' then
      jobs.set(job.id, name, value)
    end
  end
  if job.wire > 1 then
    jobs.set(job.id, 'wire', job.wire)
  end
end

local function set_deadline(job)
  if job.deadline_ms > 0 then
    local deadline = call.now + job.deadline_ms
    jobs.set(job.id, 'deadline', deadline)
    redis.call('ZADD', keys.deadlines(), deadline, job.id)
  end
end

function submissions.store(job)
  jobs.create(job.id)
  jobs.set(
    job.id, 'user', job.user, 'lane', job.lane, 'fp', job.fingerprint,
    'at', call.now + job.delay_ms, 'fence', 0
  )
  set_optional(job)
  if job.idempotency_key ~= '' then
    local key = keys.idempotency(job.user, job.idempotency_key)
    redis.call('SET', key, job.id, 'PX', IDEMPOTENCY_MS)
  end
  if job.replays ~= '' then
    dead_letters.note_replay(job.replays, job.id)
  end
  if job.continuation ~= '' then
    redis.call('SET', keys.continuation(job.id), job.continuation)
  end
  set_deadline(job)
  if job.wrong == '' then
    redis.call('SET', keys.request(job.id), job.request)
    if job.texts ~= '' then
      stored_texts.claim_expected(job.id, job.texts)
    end
  end
  counters.add('submitted')
end

function submissions.enter_batch(job)
  jobs.set(job.id, 'batch', job.batch)
  if job.name ~= '' then
    jobs.set(job.id, 'name', job.name)
  end
  batches.add(job.batch, 'submitted', 1)
  batches.stage(job.id, job.batch)
  if job.wrong ~= '' then
    jobs.set(job.id, 'wrong', 1)  -- it has no request to be tried again with
    ending.end_job(job.id, 'failed', job.wrong)
  else
    batches.feed(job.batch)
  end
end

function submissions.enter_as_part(job)
  jobs.set(job.id, 'parent', job.parent)
  local payer = jobs.paying_batch(job.parent)
  if payer then
    jobs.set(job.id, 'of', payer)
  end
  if jobs.state(job.parent) then
    jobs.add(job.parent, 'parts', 1)
  end
  waiting.put_first(job.id)
end

return submissions
