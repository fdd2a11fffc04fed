-- End a job with its outcome; book its open attempt and keep the answer for the cache.
-- Keeps: reply, cost, outcome and cached answer are one step; the first outcome wins, a late reply
-- still books its true cost.
local takes = {
  { 'id', checks.id },
  { 'fence', checks.fence },
  { 'state', checks.one_of('done', 'failed') },
  { 'outcome', checks.body },
  { 'fault', checks.any },
}
for _, field in ipairs(bills.FIELDS) do
  takes[#takes + 1] = field
end
takes[#takes + 1] = { 'saved_by', checks.any }  -- of a cached answer: the link that had answered
takes[#takes + 1] = { 'saved_micro', checks.micro }
takes[#takes + 1] = { 'near', checks.any }  -- '' = no near question's; else as near.served takes it
takes[#takes + 1] = { 'cache_key', checks.cache_key }  -- '' = keep nothing
takes[#takes + 1] = { 'cache_entry', checks.body }
takes[#takes + 1] = { 'cache_ms', checks.ms }

local function keep(given)
  if given.cache_key ~= '' and given.cache_ms > 0 then
    redis.call('SET', given.cache_key, given.cache_entry, 'PX', given.cache_ms)
  end
end

local function end_as_told(given)
  reports.wait(given.id)
  counters.add_samples(given.items)
  if jobs.field(given.id, 'cancel') then
    ending.cancel(given.id)
    return 'cancelled'
  end
  if given.saved_by ~= '' then
    usage.add_hit(given.id, given.saved_by, given.saved_micro, given.near ~= '')
  end
  if given.near ~= '' then
    near.served(given.id, given.near, given.saved_micro)
  end
  ending.end_job(given.id, given.state, given.outcome)
  return 'ok'
end

local function settle(given)
  local id, fence = given.id, given.fence
  attempts.load(id, fence)
  if not jobs.state(id) then
    return 'lost'
  end
  local mine = jobs.is_held(id, fence)
  local ended = jobs.has_ended(id)
  if mine then
    attempts.close(id, fence, given.fault, given)
  elseif given.billing == 'real' then
    bookings.book_reply(id, fence, given)
  end
  keep(given)
  if ended then
    return 'late'
  end
  if not mine and given.state ~= 'done' then
    return 'lost'
  end
  if jobs.state(id) == 'running' and not mine then
    attempts.close(id, jobs.number(id, 'fence'), 'lost', bills.UNHEARD)
  end
  return end_as_told(given)
end

return {
  takes = takes,
  each = { { 'sample', checks.name } },  -- counted if this ends the job
  gives = { 'state', 'publications' },   -- ok, late, lost or cancelled
  check = function(given)
    if given.near ~= '' and not near.readable(given.near) then
      return 'near needs a scope, entry, pair and bin'
    end
    if given.state == 'failed' then
      local _, problem = checks.error(given.outcome)
      return problem and 'outcome ' .. problem
    end
  end,
  run = function(given)
    local state = settle(given)
    return { state = state, publications = dispatch.fill({}) }
  end,
}
