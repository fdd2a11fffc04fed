-- Arguments and replies by name. A function names its arguments in order, with a check for each;
-- all are checked before the function runs, so a refused call has written nothing.
local args = {}

local function read(fields, argv, at, what)
  local values = {}
  for i, field in ipairs(fields) do
    local name, check = field[1], field[2]
    local text = argv[at + i - 1]
    local value, problem
    if text == nil then
      problem = 'is missing'
    else
      value, problem = check(text)
    end
    if problem then
      return nil, what .. name .. ' ' .. problem
    end
    values[name] = value
  end
  return values
end

-- The arguments by name, those that repeat in `items`; or nil and what is wrong.
function args.read(schema, argv)
  local given, problem = read(schema.takes, argv, 1, '')
  if not given then
    return nil, problem
  end
  local at = #schema.takes + 1
  if not schema.each then
    if #argv >= at then
      return nil, 'too many arguments'
    end
    return given
  end
  given.items = {}
  while at <= #argv do
    local number = #given.items
    local item
    item, problem = read(schema.each, argv, at, 'item ' .. number .. ': ')
    if not item then
      return nil, problem
    end
    given.items[number + 1] = item
    at = at + #schema.each
  end
  return given
end

-- A reply in the order of its names; what is absent is a null.
function args.reply(names, values)
  local reply = {}
  for i, name in ipairs(names) do
    local value = values[name]
    if value == nil then
      value = false
    end
    reply[i] = value
  end
  return reply
end

return args
