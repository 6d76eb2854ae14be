-- worker/lua/leave.lua: gives a lease back and sees to it that somebody comes when there is more.
--   KEYS[1] lease   KEYS[2] ring   KEYS[3] due   KEYS[4] queue   KEYS[5] job   KEYS[6] failures
--   KEYS[7] since when buyers may wait for Lucas   KEYS[8] due of the other task that they wait for
--   (drain, deliver; both not given by a task that answers nobody)
--   ARGV[1] empresa id   ARGV[2] task   ARGV[3] epoch   ARGV[4] id for a new job
--   ARGV[5] when work is next due, in ms ('' for never)
--   ARGV[6] 1: not before that time, whoever rings: the way to the work is broken
--   ARGV[7] 1: the work was done: the row of failures ends
-- Returns 0 when the lease had gone already (nothing is changed then), else 1.
local keys = {lease = KEYS[1], ring = KEYS[2], due = KEYS[3], queue = KEYS[4], job = KEYS[5],
              waits = KEYS[7], due_of_other = KEYS[8]}
local empresa, task, epoch, id = tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4]
if redis.call('GET', keys.lease) ~= epoch then
  return 0
end
if ARGV[7] == '1' then
  redis.call('DEL', KEYS[6])
end
give_back(keys, empresa, task, id, now_ms(), tonumber(ARGV[5]), ARGV[6] == '1')
return 1
