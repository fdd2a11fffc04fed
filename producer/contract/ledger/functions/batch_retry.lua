-- Try failed or cancelled items of a batch again.
-- Keeps: each is tried under a new id, with the request of its first try, which is only pointed to:
-- a producer may not read requests. What ended stays counted until then.
local COPIED = { 'user', 'lane', 'fp', 'name', 'group', 'tags', 'wire' }

local function may_retry(id)
  local failed = jobs.has_ended(id) and jobs.state(id) ~= 'done'
  return failed and not jobs.field(id, 'again') and not jobs.field(id, 'wrong')
end

local function copy_record(old, id, batch)
  jobs.set(id, 'at', call.now, 'fence', 0, 'batch', batch)
  for _, name in ipairs(COPIED) do
    local value = jobs.field(old, name)
    if value then
      jobs.set(id, name, value)
    end
  end
  local texts = jobs.field(old, 'doc')
  if texts then
    stored_texts.claim(id, texts)
  end
end

local function retry(old, batch)
  local item = old:match('^(.*)~%d+$') or old
  local id = item .. '~' .. redis.call('HINCRBY', keys.batch_tries(batch), item, 1)
  copy_record(old, id, batch)
  jobs.set(old, 'again', id)
  counters.add('submitted')
  jobs.set(id, 'request_of', jobs.field(old, 'request_of') or old)
  redis.call('PERSIST', requests.key(id))
  batches.add(batch, batches.counted_as(jobs.state(old)), -1)
  batches.stage(id, batch)
  return id
end

return {
  takes = { { 'batch', checks.id } },
  each = { { 'id', checks.id } },
  gives = { 'state', 'ids', 'publications' },  -- the new ids
  run = function(given)
    local batch = given.batch
    if not batches.state(batch) then
      return { state = 'missing', ids = {}, publications = {} }
    end
    local ids = {}
    for _, each in ipairs(given.items) do
      if jobs.field(each.id, 'batch') == batch and may_retry(each.id) then
        ids[#ids + 1] = retry(each.id, batch)
      end
    end
    if #ids > 0 then
      batches.reopen(batch)
      batches.feed(batch)
    end
    local list = dispatch.fill({})
    return { state = batches.state(batch), ids = ids, publications = list }
  end,
}
