-- Back to the settings' limits; a user leaves their group.
return {
  takes = {
    { 'kind', checks.one_of('user', 'group', 'fleet') },
    { 'name', checks.name },
  },
  gives = {},
  run = function(given)
    redis.call('DEL', keys.limits(given.kind, given.name))
    redis.call('SREM', keys.limited(), given.kind .. ':' .. given.name)
    return {}
  end,
}
