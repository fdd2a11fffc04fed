-- All of a batch was submitted.
return {
  takes = { { 'batch', checks.id }, { 'total', checks.count } },
  gives = { 'state' },  -- or missing
  run = function(given)
    if not batches.state(given.batch) then
      return { state = 'missing' }
    end
    batches.set_once(given.batch, 'total', given.total)
    batches.close_if_done(given.batch)
    return { state = batches.state(given.batch) }
  end,
}
