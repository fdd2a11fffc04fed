-- Forget ended jobs of a user: record, request, outcome, idempotency key, dead letter, and stored
-- texts that no other job needs; and ids in their lines of jobs that do not wait, as far as they
-- stand first. Keeps: what is another user's, or has not ended.
local MOST_PASSED = 100  -- ids of each line

local function forget(id, user)
  stored_texts.forget(id)
  local name = jobs.field(id, 'ik')
  if name then
    redis.call('DEL', keys.idempotency(user, name))
  end
  requests.delete_with_job(id)
end

return {
  takes = { { 'user', checks.name }, { 'most_ms', checks.ms } },
  each = { { 'id', checks.id } },
  -- ids; how many were looked at in the time; how many ids have left a line, 0 = no more can
  gives = { 'forgotten', 'seen', 'passed' },
  run = function(given)
    local forgotten, seen = {}, 0
    local last = os.clock() + given.most_ms / 1000
    for _, each in ipairs(given.items) do
      if seen > 0 and os.clock() > last then
        break
      end
      seen = seen + 1
      dead_letters.forget(each.id, given.user)
      if jobs.field(each.id, 'user') == given.user and jobs.has_ended(each.id) then
        forget(each.id, given.user)
        forgotten[#forgotten + 1] = each.id
      end
    end
    local passed = 0
    for _, lane in ipairs(lanes.ALL) do
      passed = passed + waiting.pass_over(lane, given.user, MOST_PASSED)
    end
    return { forgotten = forgotten, seen = seen, passed = passed }
  end,
}
