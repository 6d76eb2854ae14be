-- worker/lua/look.lua: what the holder of a lease does before it looks for work: it keeps the lease,
-- lets go of the entries that are committed and clears the mark of those who rang before this look.
--   KEYS[1] lease   KEYS[2] due   KEYS[3] inbox   KEYS[4] what is held there (see contract.lua)
--   The last two are not given by a task that has no inbox.
--   ARGV[1] empresa id   ARGV[2] epoch   ARGV[3] life in milliseconds
--   ARGV[4] id of the last entry that is committed ('' for none)   ARGV[5] SHA-1 of its event
--   ARGV[6] most entries to read   ARGV[7] bytes of the events that are dropped
-- Returns false when the lease has gone; else {now in ms, entries as XRANGE gives them}.
local empresa, epoch, life_ms = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3])
if redis.call('GET', KEYS[1]) ~= epoch then
  return false
end
local now = now_ms()
keep(KEYS[1], KEYS[2], empresa, now, life_ms)
if not KEYS[3] then
  return {now, {}}
end
let_go(KEYS[3], KEYS[4], ARGV[4], ARGV[5], ARGV[7])
return {now, redis.call('XRANGE', KEYS[3], '-', '+', 'COUNT', ARGV[6])}
