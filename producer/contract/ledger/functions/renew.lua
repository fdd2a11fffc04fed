-- Extend leases, and note of which jobs the result backend knows the outcome, so that later
-- deliveries of them change nothing, and of which it is still to hear it (fence 0).
-- Keeps: a lease is renewed only by the fence that holds it.
local FIELDS = { 'state', 'fence', 'cancel' }

local function note_reported(id)
  if jobs.state(id) then
    reports.done(id)
  end
end

return {
  takes = { { 'lease_ms', checks.ms } },
  each = { { 'id', checks.id }, { 'fence', checks.fence }, { 'reported', checks.flag } },
  gives = { 'lost', 'cancelled' },  -- ids not held any more; ids that are to be cancelled
  run = function(given)
    local lost, cancelled = {}, {}
    for _, each in ipairs(given.items) do
      jobs.load(each.id, FIELDS)
      if each.reported then
        note_reported(each.id)
      elseif each.fence == 0 then
        reports.wait(each.id)
      elseif not jobs.is_held(each.id, each.fence) then
        lost[#lost + 1] = each.id
      else
        open_jobs.put_off(each.id, call.now + given.lease_ms)
        if jobs.field(each.id, 'cancel') then
          cancelled[#cancelled + 1] = each.id
        end
      end
    end
    return { lost = lost, cancelled = cancelled }
  end,
}
