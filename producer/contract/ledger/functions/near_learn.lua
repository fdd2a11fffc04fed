-- Add to the evidence of a scope and of one of its questions, or note what was served.
-- Keeps: each observation is one step, so that none is lost or counted twice.
local SERVED_MS = 7 * 86400000  -- for how long a job can be reported as wrong

local function note_served(given)
  local key = keys.near_served(given.job)
  redis.call(
    'HSET', key, 'scope', given.scope, 'entry', given.entry, 'pair', given.pair,
    'bin', given.bin
  )
  redis.call('PEXPIRE', key, SERVED_MS)
end

return {
  takes = {
    { 'scope', checks.name },
    { 'entry', checks.name },
    { 'pair', checks.name },
    { 'verdict', checks.one_of('none', 'yes', 'no') },
    { 'label', checks.one_of('', 'right', 'wrong') },  -- '' = none is added
    { 'job', checks.any },                             -- that is served; '' = none
    { 'bin', checks.any },
    { 'saved_micro', checks.micro },
    { 'judge_micro', checks.micro },
  },
  each = { { 'name', checks.name } },                  -- counts to add one to
  gives = { 'judge_micro' },
  run = function(given)
    local scope, entry = given.scope, given.entry
    local names = {}
    for i, item in ipairs(given.items) do
      names[i] = item.name
    end
    near.touch(scope)
    near.count(scope, names)
    near.tell(names)
    if given.saved_micro > 0 then
      local saved = given.job ~= '' and 'saved_micro' or 'would_micro'
      redis.call('HINCRBY', keys.near_counts(scope), saved, given.saved_micro)
    end
    if given.verdict ~= 'none' then
      near.set_verdict(scope, entry, given.pair, given.verdict)
    end
    if given.label ~= '' then
      near.fade(scope)
      near.add_own(scope, entry, given.label)
    end
    if given.job ~= '' then
      note_served(given)
    end
    return { judge_micro = near.judge_micro(given.judge_micro) }
  end,
}
