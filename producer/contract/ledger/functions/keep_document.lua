-- Store a text for jobs that will read it; a job that needs it keeps it longer.
return {
  takes = { { 'sha', checks.name }, { 'text', checks.body } },
  gives = {},
  run = function(given)
    documents.store(given.sha, given.text)
    return {}
  end,
}
