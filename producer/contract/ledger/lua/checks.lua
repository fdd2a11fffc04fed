-- Checks of arguments. Each takes the text and returns the value, or nil and what is needed.
local checks = {}

local MOST = 9007199254740991  -- 2^53 - 1: what Lua's numbers hold exactly

local FREQUENT = { ['-1'] = -1, ['0'] = 0, ['1'] = 1 }  -- half of all numbers, not worth a match

local function whole(text)
  return FREQUENT[text] or #text <= 17 and text:match('^%-?%d+$') and tonumber(text)
end

function checks.integer(least, most)
  return function(text)
    local value = whole(text)
    if not value or value < least or value > most then
      return nil, string.format('needs a whole number from %.0f to %.0f', least, most)
    end
    return value
  end
end

function checks.number(least, most)
  return function(text)
    local plain = #text <= 40 and text:match('^%-?%d+%.?%d*$')
    local value = plain and tonumber(text)
    if not value or value < least or value > most then
      return nil, string.format('needs a number from %.14g to %.14g', least, most)
    end
    return value
  end
end

function checks.text(least, most)
  return function(text)
    if #text < least or #text > most then
      return nil, string.format('needs %d to %d bytes', least, most)
    end
    return text
  end
end

function checks.one_of(...)
  local words = { ... }
  local known = {}
  for _, word in ipairs(words) do
    known[word] = true
  end
  return function(text)
    if not known[text] then
      return nil, 'needs one of ' .. table.concat(words, ', ')
    end
    return text
  end
end

-- '' = not given.
function checks.optional(check)
  return function(text)
    if text == '' then
      return ''
    end
    return check(text)
  end
end

function checks.flag(text)
  if text ~= '0' and text ~= '1' then
    return nil, 'needs 0 or 1'
  end
  return text == '1'
end

-- A job's error as JSON: {"error": {"type": ...}}.
function checks.error(text)
  local readable, outcome = pcall(cjson.decode, text)
  local error_ = readable and type(outcome) == 'table' and outcome.error
  if type(error_) ~= 'table' or type(error_.type) ~= 'string' then
    return nil, 'needs {"error": {"type": ...}}'
  end
  return text
end

-- What a provider stated of its limits: "requests,left,tokens,left" per minute, -1 = not stated.
-- What cannot be read counts as not stated: a provider's header must not cost an answer.
function checks.rate_limits(text)
  local all = { text:match('^(%-?%d+),(%-?%d+),(%-?%d+),(%-?%d+)$') }
  local limits = {}
  for i, name in ipairs({ 'requests', 'requests_left', 'tokens', 'tokens_left' }) do
    limits[name] = all[i] and whole(all[i])
    if not limits[name] then
      return nil
    end
  end
  return limits
end

checks.id = checks.text(1, 1024)
checks.new_id = checks.text(1, 1000)  -- room for the number of a later try
checks.name = checks.text(1, 1024)
checks.any = checks.text(0, 1024)
checks.long_name = checks.text(0, 4096)
checks.body = checks.text(0, 512 * 1024 * 1024)
checks.lane = checks.one_of('interactive', 'batch')
checks.count = checks.integer(0, MOST)
checks.fence = checks.integer(0, MOST)
checks.ms = checks.integer(0, 315360000000)  -- ten years
checks.life_ms = checks.integer(1, 315360000000)
checks.micro = checks.integer(0, 1000000000000)  -- a million dollars
checks.tokens = checks.integer(0, 1000000000)
checks.limit = checks.integer(-1, MOST)  -- -1 = none

-- A key of a cache entry, or ''.
function checks.cache_key(text)
  local prefix = call.root .. 'c:'
  if text ~= '' and (#text > 2048 or text:sub(1, #prefix) ~= prefix) then
    return nil, 'needs the key of a cache entry'
  end
  return text
end

-- How what follows the kind begins, under the root, where it is a key.
local FOLLOWED = {
  links = '', pace = '', parts = '', flight = 'sf:', budget = 'bud:', limit = 'bud:',
}

-- What a parked job follows: "flight:<key>", "budget:<key>", "limit:<key>", "links:<name>;<name>",
-- "pace:<link>" or "parts:<id>"; or ''.
function checks.followed(text)
  local kind, name = text:match('^(%a+):(.+)$')
  local beginning = FOLLOWED[kind or '']
  if beginning and beginning ~= '' then
    beginning = call.root .. beginning
  end
  local known = beginning and name:sub(1, #beginning) == beginning
  if text ~= '' and (#text > 2048 or not known) then
    return nil, 'needs the name of what is followed'
  end
  return text
end

return checks
