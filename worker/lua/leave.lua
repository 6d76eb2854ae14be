-- worker/lua/leave.lua: gives a lease back and sees to it that somebody comes when there is more.
--   KEYS[1] lease   KEYS[2] ring   KEYS[3] due   KEYS[4] queue   KEYS[5] job
--   KEYS[6] since when buyers may wait for Lucas   KEYS[7] due of the other task that they wait for
--   (drain, deliver; both not given by a task that answers nobody)
--   ARGV[1] empresa id   ARGV[2] task   ARGV[3] epoch   ARGV[4] id for a new job
--   ARGV[5] when work is next due, in ms ('' for never)
--   ARGV[6] 1: not before that time, whoever rings: the way to the work is broken
-- Returns 0 when the lease had gone already (nothing is changed then), else 1.
local keys = {due = KEYS[3], ring = KEYS[2], queue = KEYS[4], job = KEYS[5]}
local empresa, task, epoch, id = tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4]
local next_at, wait = tonumber(ARGV[5]), ARGV[6] == '1'
if redis.call('GET', KEYS[1]) ~= epoch then
  return 0
end
local now = now_ms()
local rung = tonumber(redis.call('ZSCORE', keys.due, empresa) or 'inf') <= now
redis.call('ZREM', keys.due, empresa)
if wait and next_at > now then
  -- Nobody holds this lease; until it runs out, those who ring only leave their mark.
  redis.call('SET', KEYS[1], 'waiting', 'PX', next_at - now)
else
  redis.call('DEL', KEYS[1])
  if rung then
    next_at = now
  end
end
if next_at then
  -- Not in the past: who gives way queues behind the others.
  ring(keys, empresa, task, id, math.max(next_at, now), true)
elseif KEYS[6] and not redis.call('ZSCORE', KEYS[7], empresa) then
  redis.call('ZREM', KEYS[6], empresa)  -- nothing to decide, nothing to send: nobody waits
end
return 1
