-- Store jobs that are not there yet, and release what there is room for.
-- Keeps: record, request, line and release are one step; repeating a submission with the same id
-- or idempotency key changes nothing. "The same job" is the same request of the same user.

-- `delay_ms`: one that is to begin later counts from then. `wrong`: the outcome of an item that is
-- wrong from the start. `replays`: a dead letter. `texts`: hashes of the stored texts it needs,
-- with commas. `wire`: the oldest version that can read it.
local EACH = {
  { 'id', checks.new_id },
  { 'user', checks.name },
  { 'lane', checks.lane },
  { 'fingerprint', checks.name },
  { 'request', checks.body },
  { 'continuation', checks.body },
  { 'deadline_ms', checks.ms },
  { 'delay_ms', checks.ms },
  { 'idempotency_key', checks.any },
  { 'replays', checks.any },
  { 'batch', checks.any },
  { 'name', checks.long_name },
  { 'wrong', checks.optional(checks.error) },
  { 'parent', checks.any },
  { 'texts', checks.body },
  { 'tags', checks.body },
  { 'wire', checks.count },
}

-- Ids that end like this are those of items of a batch, and of their further tries.
local function is_id_of_item(id)
  return id:match('%.%d+$') or id:match('%.%d+~%d+$')
end

local function is_item_of(id, batch)
  return id:sub(1, #batch + 1) == batch .. '.' and id:sub(#batch + 2):match('^%d+$')
end

local function state_if_known(job, id)
  local known = jobs.field(id, 'fp')
  if not known then
    return nil
  end
  local same = known == job.fingerprint and jobs.field(id, 'user') == job.user
  return same and 'same' or 'conflict'
end

-- Every item ends in its batch. One whose idempotency key another job has does so at once: as that
-- job it would end elsewhere, and its batch would wait for it.
local function submit_item(job)
  local known = state_if_known(job, job.id)
  if known then
    return known, job.id
  end
  local state = batches.state(job.batch)
  if state ~= 'open' and state ~= 'paused' then
    return 'closed', job.id
  end
  if batches.field(job.batch, 'user') ~= job.user then
    return 'conflict', job.id
  end
  local before = submissions.known_as(job)
  if before ~= job.id and jobs.state(before) then
    job.idempotency_key = ''
    job.wrong = outcomes.key_is_taken(before)
  end
  submissions.store(job)
  submissions.enter_batch(job)
  return 'new', job.id
end

local function submit(job)
  if job.batch ~= '' then
    return submit_item(job)
  end
  local before = submissions.known_as(job)
  local known = state_if_known(job, before)
  if known then
    return known, before
  end
  submissions.store(job)
  if job.parent ~= '' then
    submissions.enter_as_part(job)
  elseif job.delay_ms > 0 then
    waiting.park(job.id, job.delay_ms)
  else
    waiting.put_last(job.id)
  end
  return 'new', job.id
end

return {
  takes = { { 'library', checks.name } },
  each = EACH,
  gives = { 'jobs', 'publications' },  -- of each job in turn {state, id}
  check = function(given)
    for _, job in ipairs(given.items) do
      if job.batch ~= '' and not is_item_of(job.id, job.batch) then
        return 'id: needs the batch, "." and a number'
      elseif job.batch == '' and is_id_of_item(job.id) then
        return 'id: is one of an item of a batch'
      end
    end
  end,
  run = function(given)
    libraries.note_use(given.library)
    local found = {}
    for i, job in ipairs(given.items) do
      found[i] = { submit(job) }
    end
    return { jobs = found, publications = dispatch.fill({}) }
  end,
}
