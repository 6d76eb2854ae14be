-- worker/lua/look.lua: what the holder of a lease does before it looks for work: it keeps the lease,
-- lets go of the entries that are committed and clears the mark of those who rang before this look.
--   KEYS[1] lease   KEYS[2] due   KEYS[3] inbox   KEYS[4] what is held there (see contract.lua)
--   The last two are not given by a task that has no inbox.
--   ARGV[1] empresa id   ARGV[2] epoch   ARGV[3] life in milliseconds
--   ARGV[4] drop entries below this stream id ('' for none)   ARGV[5] most entries to read
--   ARGV[6] bytes of the events that are dropped
-- Returns false when the lease has gone; else {now in ms, entries as XRANGE gives them}.
local empresa, epoch, life_ms = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3])
if redis.call('GET', KEYS[1]) ~= epoch then
  return false
end
local now = now_ms()
redis.call('PEXPIRE', KEYS[1], life_ms)
redis.call('ZADD', KEYS[2], now + life_ms, empresa)
if not KEYS[3] then
  return {now, {}}
end
if ARGV[4] ~= '' then
  redis.call('XTRIM', KEYS[3], 'MINID', ARGV[4])
  local left = redis.call('XLEN', KEYS[3])
  if left == 0 then
    redis.call('DEL', KEYS[4])  -- whatever was counted wrongly ends here
  else
    local bytes = tonumber(redis.call('HGET', KEYS[4], 'bytes') or '0') - tonumber(ARGV[6])
    redis.call('HSET', KEYS[4], 'events', left, 'bytes', math.max(0, bytes))
  end
end
return {now, redis.call('XRANGE', KEYS[3], '-', '+', 'COUNT', ARGV[5])}
