-- worker/lua/take_lease.lua: gives one task of an empresa to this worker alone.
--   KEYS[1] lease   KEYS[2] ring   KEYS[3] due   KEYS[4] epoch (the last one given out)
--   KEYS[5] queue   KEYS[6], KEYS[7] since when buyers may wait for Lucas, and for a person
--   (sorted sets empresa -> ms, see worker/alarm/waits.py; not given by a task that answers nobody)
--   KEYS[8] inbox (not given by a task that has none, or that does not look at once)
--   ARGV[1] empresa id   ARGV[2] id of the arq job that asks   ARGV[3] life in milliseconds
--   ARGV[4] most entries to read
-- Returns {epoch of the lease, entries as XRANGE gives them}, {0} when another worker holds it.
-- Epochs rise for ever, also when Redis loses its data: they follow the clock.
local empresa, id, life_ms = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3])
-- arq leaves a running job in its queue and reads only the oldest there: many that run would hide
-- those that wait. `due` remembers this empresa should we die.
redis.call('ZREM', KEYS[5], id)
if redis.call('GET', KEYS[2]) == id then
  -- This job is no longer waiting: from now on a ring must queue another one.
  redis.call('DEL', KEYS[2])
end
if redis.call('EXISTS', KEYS[1]) == 1 then
  return {0}
end
local time = redis.call('TIME')
local now_us = time[1] * 1000000 + time[2]
local epoch = math.max(tonumber(redis.call('GET', KEYS[4]) or '0') + 1, now_us)
local text = string.format('%.0f', epoch)
redis.call('SET', KEYS[4], text)
redis.call('SET', KEYS[1], text, 'PX', life_ms)
local now = math.floor(now_us / 1000)
if KEYS[6] then
  -- Whoever rang did it when the message came: nobody new has waited for longer.
  local since = math.min(now, tonumber(redis.call('ZSCORE', KEYS[3], empresa) or now))
  redis.call('ZADD', KEYS[6], 'LT', since, empresa)
  redis.call('ZADD', KEYS[7], 'LT', since, empresa)
end
redis.call('ZADD', KEYS[3], now + life_ms, empresa)
return {epoch, KEYS[8] and redis.call('XRANGE', KEYS[8], '-', '+', 'COUNT', ARGV[4]) or {}}
