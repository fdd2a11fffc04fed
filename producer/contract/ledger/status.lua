-- KEYS[1] root
-- ARGV    id
-- reply   {} or {state, cost, maybe, attempts, tried, cancel flag or '', at, ended or 0, own jobs ahead in line, users in line}
-- keeps   reads only
local id = ARGV[1]
local state = field(id, 'state')
if not state then return {} end
return { state, number(id, 'cost'), number(id, 'maybe'), number(id, 'attempts'), field(id, 'tried') or '',
         field(id, 'cancel') or '', number(id, 'at'), number(id, 'ended'),
         state == 'waiting' and ahead(id) or 0, waiting_users(field(id, 'lane')) }
