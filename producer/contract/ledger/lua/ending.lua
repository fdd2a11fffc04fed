-- The one end of a job. Invariant: a job leaves exactly one outcome. Its keys live on for the
-- outcome's life; a batch keeps the requests of items that failed, to try them again.
local ending = {}

local WOKEN_BY_HINT = 2

-- Whether it leaves a dead letter.
local function count(id, state, outcome, batch)
  counters.add(state)
  local user = jobs.field(id, 'user')
  if state == 'done' then
    hurt_users.ended(user)
    return false
  end
  local kind, limit = outcomes.kind(outcome)
  local maker = hurt_users.maker(id, kind)
  counters.add('error:' .. kind)
  if maker == 'service' then
    counters.add('failure:' .. kind)
  elseif maker == 'limit' then
    counters.add('refusal:' .. tostring(limit))
  end
  hurt_users.ended(user, maker)
  local leaves_letter = not batch and dead_letters.write(id, kind, outcome)
  if leaves_letter and maker == 'service' then
    counters.add('dead_letters')
  end
  return leaves_letter
end

local function set_lives(id, life, keeps_request)
  jobs.flush(id)  -- a record that is not there yet would live for ever
  redis.call('PEXPIRE', keys.job(id), life)
  redis.call('PEXPIRE', keys.continuation(id), life)
  if keeps_request then
    redis.call('PEXPIRE', requests.key(id), life)
  else
    redis.call('DEL', requests.key(id))
  end
end

local function tell_others(id, state, batch)
  local wakes_on = jobs.field(id, 'wakes_on')
  if wakes_on then
    waiting.wake(wakes_on, WOKEN_BY_HINT)
  end
  if batch then
    batches.item_ended(id, batch, state)
  end
  documents.part_ended(id, state)
  documents.stop_parts(id)
end

function ending.end_job(id, state, outcome)
  local batch = jobs.field(id, 'batch')
  local life = retention.life_ms(batch)
  local keeps_request = batch and state ~= 'done'
  local was_parked = jobs.state(id) == 'parked'
  jobs.set(id, 'state', state, 'ended', call.now)
  redis.call('SET', keys.outcome(id), outcome, 'PX', life)
  redis.pcall('PUBLISH', keys.ended(id), '')  -- no job fails where this user may not
  local leaves_letter = count(id, state, outcome, batch)
  cached.ended(id)
  set_lives(id, life, keeps_request)
  open_jobs.close(id)
  if was_parked then
    redis.call('ZREM', keys.parked(), id)
  end
  if jobs.field(id, 'deadline') then
    redis.call('ZREM', keys.deadlines(), id)
  end
  tell_others(id, state, batch)
  stored_texts.let_go(id, keeps_request and life or leaves_letter and dead_letters.life_ms() or 0)
end

function ending.cancel(id)
  ending.end_job(id, 'cancelled', outcomes.CANCELLED)
end

return ending
