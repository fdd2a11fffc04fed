-- Outcomes that the ledger itself writes, as the contract's errors are stored.
local outcomes = {}

local function error_of(kind, message)
  return '{"error":{"type":"' .. kind .. '","args":[' .. cjson.encode(message) .. ',{}]}}'
end

outcomes.CANCELLED = error_of('Cancelled', 'The job was cancelled.')
outcomes.UNKNOWN = error_of(
  'OutcomeUnknown',
  'The worker died with the call on the wire; it may have been billed, '
    .. 'and this fleet does not repeat such calls.'
)
outcomes.LAST_UNKNOWN = error_of(
  'OutcomeUnknown',
  'The worker died with the call on the wire, which was the last attempt allowed; '
    .. 'it may have been billed.'
)
outcomes.POISONED = error_of(
  'Poisoned', 'The job brought down its worker too often and is not tried again.'
)

-- `waited_for`: the trouble that kept it waiting, '' = none.
function outcomes.expired(waited_for)
  local message = 'The deadline passed before the job was answered.'
  if waited_for ~= '' then
    message = message .. ' It waited for ' .. waited_for
  end
  return error_of('DeadlineExceeded', message)
end

-- Of an item of a batch: another job has its idempotency key.
function outcomes.key_is_taken(id)
  return error_of('Conflict', 'idempotency_key: it is that of job ' .. id .. ', whose answer this '
    .. 'item does not get. Fix: leave it out; an item of a batch is never run twice')
end

-- The error's type, and the limit that it names, if any.
function outcomes.kind(text)
  local found = cjson.decode(text).error
  local details = found.args and found.args[2]
  return found.type, type(details) == 'table' and details.limit or nil
end

return outcomes
