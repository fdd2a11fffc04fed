-- Note that the result backend knows a job's outcome, so that later deliveries change nothing, and
-- count samples of the job (names: telemetry/metrics.py).
return {
  takes = { { 'id', checks.id } },
  each = { { 'sample', checks.name } },
  gives = { 'known' },
  run = function(given)
    for _, each in ipairs(given.items) do
      counters.add_sample(each.sample, 1)
    end
    if not jobs.state(given.id) then
      return { known = 0 }
    end
    jobs.set(given.id, 'reported', 1)
    return { known = 1 }
  end,
}
