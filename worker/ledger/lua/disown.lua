-- KEYS[1] root
-- ARGV    day (number), name that stands for the user from now on, rows of that day's usage...
-- reply   how many rows
-- keeps   what was used in all: a row is added to the one that has the other name instead of the user's
local day, rows = key('use', ARGV[1]), 0
for i = 3, #ARGV do
  local sums = redis.call('HGET', day, ARGV[i])
  local row, total = cjson.decode(ARGV[i]), {}
  row[1] = ARGV[2]
  local other = cjson.encode(row)
  if sums and other ~= ARGV[i] then
    for n in sums:gmatch('[^,]+') do total[#total + 1] = tonumber(n) end
    local at = 0
    for n in (redis.call('HGET', day, other) or ''):gmatch('[^,]+') do at = at + 1 total[at] = total[at] + tonumber(n) end
    for n, sum in ipairs(total) do total[n] = string.format('%d', sum) end
    redis.call('HSET', day, other, table.concat(total, ','))
    redis.call('HDEL', day, ARGV[i])   -- last, so that the day's hash is never empty and keeps its life
    rows = rows + 1
  end
end
return rows
