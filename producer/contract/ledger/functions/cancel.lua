-- Cancel a job. Keeps: one that does not run yet ends here, and is published once more as the
-- messenger of its end; a running one is stopped by its worker.
return {
  takes = { { 'id', checks.id } },
  gives = { 'state', 'publications' },  -- cancelled, cancelling, missing, or how it had ended
  run = function(given)
    local id = given.id
    local state = jobs.state(id)
    if not state or jobs.has_ended(id) then
      return { state = state or 'missing', publications = {} }
    end
    if state == 'running' then
      jobs.set(id, 'cancel', 1)
      return { state = 'cancelling', publications = {} }
    end
    ending.cancel(id)
    local list = {}
    publications.add(list, id)
    return { state = 'cancelled', publications = dispatch.fill(list) }
  end,
}
