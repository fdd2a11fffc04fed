-- Add to the evidence of a scope and of one of its questions.
-- Keeps: each observation is one step, so that none is lost or counted twice.
return {
  takes = {
    { 'scope', checks.name },
    { 'entry', checks.name },
    { 'pair', checks.name },
    { 'verdict', checks.one_of('none', 'yes', 'no') },
    { 'label', checks.one_of('', 'right', 'wrong') },  -- '' = none is added
    { 'would_micro', checks.micro },  -- what would have been saved
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
    if given.would_micro > 0 then
      redis.call('HINCRBY', keys.near_counts(scope), 'would_micro', given.would_micro)
    end
    if given.verdict ~= 'none' then
      near.set_verdict(scope, entry, given.pair, given.verdict)
    end
    if given.label ~= '' then
      near.fade(scope)
      near.add_own(scope, entry, given.label)
    end
    return { judge_micro = near.judge_micro(given.judge_micro) }
  end,
}
