-- Take ids from the queues of the lanes that a worker serves, as they were put there by functions.
return {
  takes = {
    { 'most', checks.integer(1, 1000) },
    { 'lanes', checks.one_of('both', 'interactive', 'batch') },
  },
  gives = { 'interactive', 'batch' },
  run = function(given)
    local taken = { interactive = {}, batch = {} }
    local left, empty = given.most, true
    for _, lane in ipairs(lanes.ALL) do
      if empty and left > 0 and (given.lanes == 'both' or given.lanes == lane) then
        taken[lane], empty = queues.take(lane, left)
        left = left - #taken[lane]
      end
    end
    return taken
  end,
}
