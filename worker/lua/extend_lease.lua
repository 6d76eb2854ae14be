-- worker/lua/extend_lease.lua: keeps a lease, if this worker still holds it.
--   KEYS[1] lease   ARGV[1] epoch   ARGV[2] new life in milliseconds
-- Returns 1 when the lease is ours, 0 when it has gone to another worker.
local epoch, life_ms = ARGV[1], ARGV[2]
if redis.call('GET', KEYS[1]) ~= epoch then
  return 0
end
return redis.call('PEXPIRE', KEYS[1], life_ms)
