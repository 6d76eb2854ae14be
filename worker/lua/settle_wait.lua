-- worker/lua/settle_wait.lua: notes what a dealer's database says of buyers who wait.
--   KEYS[1] since when they may wait (sorted set empresa -> ms)   KEYS[2] epoch of the dealer's drain
--   ARGV[1] empresa id   ARGV[2] that epoch before the database was asked ('' if a drain was at work)
--   ARGV[3] since when the first waits, in ms ('' for nobody)
--   ARGV[4] when the database was asked, or the oldest message came that was not in it, in ms
-- Returns nothing. Where a drain has worked meanwhile, what it stored was not seen: it stays.
local empresa, epoch, since, asked = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
if since then
  redis.call('ZADD', KEYS[1], since, empresa)
elseif epoch ~= '' and (redis.call('GET', KEYS[2]) or '0') == epoch then
  redis.call('ZREM', KEYS[1], empresa)
else
  redis.call('ZADD', KEYS[1], asked, empresa)
end
