-- Take possible bills back: the provider's invoice does not have them.
-- Keeps: each is taken back once, in the step that removes it from the list of them.

local function is_meant(given, text)
  local id, _, link = unpack(cjson.decode(text))
  return (given.link == '' or given.link == link) and (given.id == '' or given.id == id)
end

return {
  takes = {
    { 'link', checks.any },                 -- '' = any
    { 'id', checks.any },                   -- of a job; '' = any
    { 'since_ms', checks.count },           -- of the epoch
    { 'until_ms', checks.count },
    { 'skip', checks.count },               -- of those in that time
    { 'most', checks.integer(1, 1000) },    -- to be looked at
    { 'dry', checks.flag },                 -- only count
  },
  gives = { 'seen', 'kept', 'calls', 'micro' },  -- looked at; of those not taken back; taken back
  run = function(given)
    local found = redis.call(
      'ZRANGEBYSCORE', keys.possible_bills(), given.since_ms, given.until_ms,
      'LIMIT', given.skip, given.most
    )
    local calls, micro = 0, 0
    for _, text in ipairs(found) do
      if is_meant(given, text) then
        local booked = cjson.decode(text)[4]
        calls, micro = calls + 1, micro + tonumber(booked:match('^%d+:(%d+)'))
        if not given.dry then
          possible_bills.forgive(text)
        end
      end
    end
    local kept = given.dry and #found or #found - calls
    return { seen = #found, kept = kept, calls = calls, micro = micro }
  end,
}
