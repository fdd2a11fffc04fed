-- Payers: on whose limits and usage a job counts beside the fleet's.
local payers = {}

-- `kind`: 'user' or 'group'; nil = on none, also where the fleet pays alone.
function payers.of(id, kind)
  return not jobs.field(id, 'fleet_pays') and jobs.field(id, kind) or nil
end

function payers.fleet_alone(id)
  jobs.set(id, 'fleet_pays', 1)
end

return payers
