-- Runs a function by its name: checks its keys and arguments, then hands them over by name.
local registry = {}

local function refusal(name, problem)
  return redis.error_reply('INVALID ' .. name .. ': ' .. problem)
end

local function names(fields)
  local found = {}
  for i, field in ipairs(fields or {}) do
    found[i] = field[1]
  end
  return found
end

-- What each function takes and gives, and what each key is called: for the tests that compare
-- both sides.
local function describe(functions)
  local found = { functions = {}, keys = {} }
  for name, definition in pairs(functions) do
    found.functions[name] = {
      takes = names(definition.takes),
      each = names(definition.each),
      gives = definition.gives,
    }
  end
  for name, key in pairs(keys) do
    found.keys[name] = key('<1>', '<2>', '<3>')
  end
  return cjson.encode(found)
end

-- The root of the keys, and whether this server is the broker, too: a second key says so.
local function where(given_keys)
  local root, broker = given_keys[1] or '', given_keys[2]
  if broker and (broker ~= root .. 'broker' or #given_keys > 2) then
    return nil
  end
  return root:match('^[^{}]+:{0}:$'), broker ~= nil
end

function registry.run(functions, name, given_keys, argv)
  local root, is_broker = where(given_keys)
  if not root then
    return refusal(name, 'needs the root of the keys as its one key')
  end
  call.begin(root, is_broker)
  if name == 'describe' then
    return describe(functions)
  end
  local definition = functions[name]
  local given, problem = args.read(definition, argv)
  if given and definition.check then
    problem = definition.check(given)
  end
  if problem then
    return refusal(name, problem)
  end
  -- Also after an error of our own: what the record says must match what was written beside it,
  -- because the caller repeats the call.
  local ended, answer = pcall(definition.run, given)
  jobs.flush_all()
  if not ended then
    return error(answer, 0)
  end
  return args.reply(definition.gives, answer)
end

return registry
