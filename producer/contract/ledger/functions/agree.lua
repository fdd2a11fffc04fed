-- Note numbers on which all starts of a job must agree. Keeps: those noted first hold.
return {
  takes = {
    { 'id', checks.id },
    { 'name', checks.one_of('parts_of') },
    { 'proposed', checks.text(1, 64) },
  },
  gives = { 'agreed' },
  run = function(given)
    if jobs.state(given.id) then
      jobs.set_once(given.id, given.name, given.proposed)
    end
    return { agreed = jobs.field(given.id, given.name) or given.proposed }
  end,
}
