-- Attempts: one call of a job to one provider link, from its hold to its end.
local attempts = {}

-- What the end of an attempt, and of its job, looks at.
local FIELDS = {
  'state', 'fence', 'cancel', 'link', 'tried', 'paced', 'sent', 'held_tokens', 'held_micro',
  'held_on', 'user', 'group', 'batch', 'of', 'lane', 'tags', 'grant', 'parent', 'parts', 'doc',
  'wakes_on', 'request_of', 'attempts', 'deadline', 'cost', 'maybe', 'estimated', 'flight', 'risk',
  'fleet_pays',
}

function attempts.load(id, fence)
  jobs.load(id, { 'on' .. fence, 'booked' .. fence, 'possible' .. fence, unpack(FIELDS) })
end

function attempts.open(id, fence, link, amounts, list)
  bookings.hold(id, list, amounts)
  jobs.set(id, 'link', link, 'sent', call.now, 'on' .. fence, link)
  local batch = jobs.paying_batch(id)
  if batch then
    batches.add(batch, 'calls', 1)
  end
  return jobs.add(id, 'attempts', 1)
end

-- The open attempt, if there is one, ended with `noted` ('' = an answer; a fault, after colons what
-- the provider said): add it to the history, book its bill, note what it teaches of its link.
function attempts.close(id, fence, noted, bill)
  local link = jobs.field(id, 'link')
  if not link then
    return
  end
  local history = jobs.field(id, 'tried') or ''
  jobs.set(id, 'tried', history .. link .. '=' .. noted .. ';')
  local fault = noted:match('^[^:]*')
  local worst = jobs.number(id, 'held_tokens')
  local told_trouble = bill.says ~= '' and bill.says ~= 'answers'
  if told_trouble and pace.of(link).probe == id then
    jobs.add(id, 'probes', 1)
  end
  local recovered = feedback.call_ended(id, link, worst, fault, bill)
  bookings.close(id, fence, bill)
  if recovered then
    waiting.wake_in_order('link:' .. link)
  end
end

return attempts
