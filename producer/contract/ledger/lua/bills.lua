-- Bills: what an attempt cost, and what it says of its provider link.
local bills = {}

-- How they are passed to settle and park.
bills.FIELDS = {
  { 'billing', checks.one_of('none', 'free', 'maybe', 'real') },  -- none: never left
  { 'micro', checks.micro },
  { 'tokens', checks.tokens },
  { 'output', checks.tokens },
  { 'estimated', checks.flag },
  -- Of a call that was cancelled and may have been billed: what its user's limits bear; -1 = all.
  { 'prompt_tokens', checks.limit },
  { 'prompt_micro', checks.limit },
  { 'booked_as', checks.any },  -- '' = the link that was reserved
  { 'says', checks.one_of('', 'answers', 'fails', 'doubts', 'refuses') },  -- of its link
  { 'reason', checks.text(0, 200) },  -- why it failed, in a few words
  { 'told_ms', checks.ms },           -- how long the provider asks to be left alone
  { 'opening_ms', checks.ms },        -- the first time for which a failing link is left alone
  { 'limits', checks.rate_limits },
}

-- Of an attempt whose worker is gone: nothing is known of what came of it.
bills.UNHEARD = {
  billing = 'maybe', micro = 0, tokens = 0, output = 0, says = '', reason = '', told_ms = 0,
  opening_ms = 0, prompt_tokens = -1, prompt_micro = -1,
}

return bills
