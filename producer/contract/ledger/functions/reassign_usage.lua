-- Have another name stand for a user in rows of a day's usage. Keeps: what was used in all.
return {
  takes = { { 'day', checks.count }, { 'name', checks.name } },
  each = { { 'row', checks.body } },
  gives = { 'rows' },
  run = function(given)
    local rows = 0
    for _, each in ipairs(given.items) do
      if usage.reassign(keys.usage(given.day), each.row, given.name) then
        rows = rows + 1
      end
    end
    return { rows = rows }
  end,
}
