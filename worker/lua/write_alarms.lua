-- worker/lua/write_alarms.lua: writes alarms and queues their notices, if this watcher still holds
-- the lease. In one step: whoever dies before or after has told nothing, or all.
--   KEYS[1] lease   KEYS[2] alarms (hash)   KEYS[3] notices that are to be posted (list)
--   ARGV[1] token   ARGV[2] how many alarms are written: n   then n times name and JSON
--   then how many are over: m   then m names   then most notices in the list, then the notices
-- Returns how many old notices fell out of the list, false when the lease has gone.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return false
end
local at = 3
for _ = 1, tonumber(ARGV[2]) do
  redis.call('HSET', KEYS[2], ARGV[at], ARGV[at + 1])
  at = at + 2
end
local over = tonumber(ARGV[at])
for i = 1, over do
  redis.call('HDEL', KEYS[2], ARGV[at + i])
end
at = at + over + 1
local most, length = tonumber(ARGV[at]), redis.call('LLEN', KEYS[3])
for i = at + 1, #ARGV do
  length = redis.call('RPUSH', KEYS[3], ARGV[i])
end
if length > most then
  redis.call('LTRIM', KEYS[3], -most, -1)
end
return math.max(0, length - most)
