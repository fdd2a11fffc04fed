-- The names of all keys, under the root of the call. docs/redis-keys.md says what each holds; a
-- test compares these with the Python side's dictionary.
-- A name with two free texts gives the length of the first, so that no two pairs share a key.
local keys = {}

local function two_texts(first, second)
  return #first .. ':' .. first .. ':' .. second
end

local SINGLE = {
  gates = 'gates', gated = 'gated', behind = 'behind', numbers = 'num', in_flight = 'inf',
  group_in_flight = 'infg', benches = 'benches', limited = 'limited', open = 'open',
  parked = 'park', deadlines = 'dl', config = 'cfg', totals = 'tot', cooling = 'cooling',
  sequence = 'seq', dead = 'dead', batches = 'batches', ending_batches = 'bends',
  batches_to_keep = 'bkeep', possible_bills = 'maybe', held_lines = 'hlines',
  stored_texts = 'docs', cache_generations = 'cgen', workers = 'wk', slots = 'slots',
  skews = 'skew', worker_settings = 'wset', worker_clocks = 'wclk',
  worker_lanes = 'wlane', open_batch = 'openb', libraries = 'versions',
  near_scopes = 'sscopes', unreported = 'unrep',
}

for name, short in pairs(SINGLE) do
  keys[name] = function()
    return call.root .. short
  end
end

local ONE_TEXT = {
  job = 'j', request = 'q', continuation = 'h', outcome = 'o', slot = 'obs', hour = 'obh',
  usage = 'use', dead_letter = 'd', batch = 'b', batch_staged = 'bw', batch_live = 'bl',
  batch_ended = 'be', batch_tries = 'br', stored_text = 'doc',
  stored_text_expected = 'docx', stored_text_wanted = 'docu',
  followers = 'f', bench = 'bench', pace = 'pace',
  near_entries = 'se', near_order = 'so', near_counts = 'sc', near_served = 'sv',
  near_judge = 'sj', ended = 'ended',
}

for name, short in pairs(ONE_TEXT) do
  local prefix = short .. ':'
  keys[name] = function(text)
    return call.root .. prefix .. text
  end
end

-- `lane`, `kind` and `unit` are words of ours without a colon, so what follows them is one text.
function keys.waiting(lane, user)
  return call.root .. 'w:' .. lane .. ':' .. user
end

local function of_link(word, lane, link)
  if link == '' then
    return call.root .. word .. lane
  end
  return call.root .. word .. lane .. ':' .. link
end

function keys.ring(lane, link)
  return of_link('ring:', lane, link)
end

function keys.gone(lane, link)
  return of_link('gone:', lane, link)
end

function keys.limits(kind, name)
  return call.root .. 'lim:' .. kind .. ':' .. name
end

function keys.budget(unit, kind, name)
  return call.root .. 'bud:' .. unit .. ':' .. kind .. ':' .. name
end

function keys.idempotency(user, name)
  return call.root .. 'ik:' .. two_texts(user, name)
end

function keys.near_own(scope, entry)
  return call.root .. 'sn:' .. two_texts(scope, entry)
end

-- `what` is a word of ours.
function keys.hurt_users(what, minute)
  return call.root .. 'hurt:' .. what .. ':' .. minute
end

function keys.cached(generations, namespace, content)
  return call.root .. 'c:' .. generations .. ':' .. two_texts(namespace, content)
end

function keys.flight(generations, namespace, content)
  return call.root .. 'sf:' .. generations .. ':' .. two_texts(namespace, content)
end

return keys
