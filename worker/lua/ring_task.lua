-- worker/lua/ring_task.lua: rings for one task of an empresa, unless a worker is at it.
--   KEYS[1] lease   KEYS[2] ring   KEYS[3] due   KEYS[4] queue   KEYS[5] job
--   ARGV[1] empresa id   ARGV[2] task   ARGV[3] id for a new job
--   ARGV[4] 1: also while the work is left alone because the way to it was broken
-- Returns 1 when a job was queued, 0 when one was queued already or a worker holds the lease.
local keys = {lease = KEYS[1], ring = KEYS[2], due = KEYS[3], queue = KEYS[4], job = KEYS[5]}
return ring_unless_held(keys, tonumber(ARGV[1]), ARGV[2], ARGV[3], now_ms(), ARGV[4] == '1')
