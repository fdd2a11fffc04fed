-- Count what happened once each, by the server's clock (names: telemetry/metrics.py).
return {
  takes = {},
  each = { { 'sample', checks.name } },
  gives = {},
  run = function(given)
    counters.add_samples(given.items)
    return {}
  end,
}
