-- Back to the settings' limits; a user leaves their group.
return {
  takes = {
    { 'kind', checks.one_of('user', 'group', 'fleet') },
    { 'name', checks.name },
  },
  gives = {},
  run = function(given)
    limits.change(given.kind, given.name, function()
      overrides.reset(given.kind, given.name)
    end)
    return {}
  end,
}
