-- Store a text for a job that will need it; the job keeps it longer.
return {
  takes = { { 'sha', checks.name }, { 'text', checks.body } },
  gives = {},
  run = function(given)
    stored_texts.store(given.sha, given.text)
    return {}
  end,
}
