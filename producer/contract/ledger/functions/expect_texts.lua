-- Texts that a job to be submitted will need. Those that are there are kept for it for an hour.
return {
  takes = {},
  each = { { 'sha', checks.name } },
  gives = { 'missing' },  -- the hashes of those that are to be stored first
  run = function(given)
    local missing = {}
    for _, each in ipairs(given.items) do
      if not stored_texts.expect(each.sha) then
        missing[#missing + 1] = each.sha
      end
    end
    return { missing = missing }
  end,
}
