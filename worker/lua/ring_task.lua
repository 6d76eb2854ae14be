-- worker/lua/ring_task.lua: rings for one task of an empresa, unless a worker is at it.
--   KEYS[1] lease   KEYS[2] ring   KEYS[3] due   KEYS[4] queue   KEYS[5] job
--   ARGV[1] empresa id   ARGV[2] task   ARGV[3] id for a new job
--   ARGV[4] 1: also while the work is left alone because the way to it was broken
-- Returns 1 when a job was queued, 0 when one was queued already or a worker holds the lease.
local keys = {due = KEYS[3], ring = KEYS[2], queue = KEYS[4], job = KEYS[5]}
local empresa, task, id = tonumber(ARGV[1]), ARGV[2], ARGV[3]
local now = now_ms()
local lease = redis.call('GET', KEYS[1])
if lease == 'waiting' then
  if ARGV[4] ~= '1' then
    return 0  -- a job is queued for when it is tried again
  end
  redis.call('DEL', KEYS[1])
elseif lease then
  redis.call('ZADD', keys.due, 'LT', now, empresa)
  return 0
end
return ring(keys, empresa, task, id, now)
