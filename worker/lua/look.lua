-- worker/lua/look.lua: what the holder of a lease does before it looks for work: it keeps the lease,
-- lets go of the entries that are committed and clears the mark of those who rang before this look.
--   KEYS[1] lease   KEYS[2] due   KEYS[3] inbox   KEYS[4] what is held there (see contract.lua)
--   The last two are not given by a task that has no inbox.
--   ARGV[1] empresa id   ARGV[2] epoch   ARGV[3] life in milliseconds
--   ARGV[4] id of the last entry that is committed ('' for none)   ARGV[5] SHA-1 of its event
--   ARGV[6] most entries to read   ARGV[7] bytes of the events that are dropped
-- After a failover ids may be given a second time, to entries that nobody has read: what is dropped
-- goes up to an entry that is the very one that was read, or stays, and changes nothing once more.
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
local last = ARGV[4] ~= '' and redis.call('XRANGE', KEYS[3], ARGV[4], ARGV[4])[1]
if last then
  local event = ''
  for i = 1, #last[2], 2 do
    if last[2][i] == 'event' then event = last[2][i + 1] end
  end
  if redis.sha1hex(event) == ARGV[5] then
    redis.call('XTRIM', KEYS[3], 'MINID', ARGV[4])
    redis.call('XDEL', KEYS[3], ARGV[4])
    recount(KEYS[3], KEYS[4], ARGV[7])
  end
end
return {now, redis.call('XRANGE', KEYS[3], '-', '+', 'COUNT', ARGV[6])}
