-- Forget a batch that has ended. Its items are jobs like any other, and are forgotten as such.
return {
  takes = { { 'batch', checks.id } },
  gives = { 'forgotten' },
  run = function(given)
    if not batches.field(given.batch, 'ended') then
      return { forgotten = 0 }
    end
    batches.forget(given.batch)
    return { forgotten = 1 }
  end,
}
