-- KEYS[1] root
-- ARGV    names of what happened once, "l|..." or "c|..." (telemetry/metrics.py)
-- reply   {}
-- keeps   a sample is in its slot, its hour and the totals, by the server's clock
for _, name in ipairs(ARGV) do tally(name, 1) end
return {}
