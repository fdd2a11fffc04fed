-- What is known of a job. Reads only.
return {
  takes = { { 'id', checks.id } },
  -- Empty for an unknown job. ahead: own jobs before it in line; users: those who wait in its lane;
  -- hinder: the trouble that it waits for to pass, in words.
  gives = {
    'state', 'cost', 'maybe', 'attempts', 'tried', 'ahead', 'users', 'user', 'estimated',
    'hinder',
  },
  run = function(given)
    local id = given.id
    local state = jobs.state(id)
    if not state then
      return {}
    end
    local ahead, hinder = 0, ''
    if state == 'waiting' then
      ahead = lanes.ahead(id)
    end
    if not jobs.has_ended(id) then
      hinder = outages.hinder({ id })
    end
    return {
      state = state,
      cost = jobs.number(id, 'cost'),
      maybe = jobs.number(id, 'maybe'),
      attempts = jobs.number(id, 'attempts'),
      tried = jobs.field(id, 'tried') or '',
      ahead = ahead,
      users = rings.users(jobs.field(id, 'lane')),
      user = jobs.field(id, 'user'),
      estimated = jobs.number(id, 'estimated'),
      hinder = hinder,
    }
  end,
}
