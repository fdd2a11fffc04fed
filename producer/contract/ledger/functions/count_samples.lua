-- Count what happened once each, by the server's clock (names: telemetry/metrics.py).
return {
  takes = {},
  each = { { 'name', checks.name } },
  gives = {},
  run = function(given)
    for _, each in ipairs(given.items) do
      counters.add_sample(each.name, 1)
    end
    return {}
  end,
}
