-- worker/lua/replay_event.lua: moves a dead event back to an inbox and rings for a worker, in one
-- step. Does nothing when the dead letter is gone: somebody else has replayed or discarded it.
--   KEYS[1] dead letters  helix:{42}:dead, or helix:unknown_channel
--   KEYS[2] inbox   KEYS[3] lease   KEYS[4] ring   KEYS[5] due   KEYS[6] queue   KEYS[7] job
--   KEYS[8] what is held on the inbox: a person's act is counted, and never too much
--   ARGV[1] empresa id   ARGV[2] id for a new job   ARGV[3] stream id of the dead letter
--   ARGV[4] what the event goes by when it names no message and the letter does not say
-- Returns 1 when the event is on the inbox because of this call, else 0.
local keys = {due = KEYS[5], ring = KEYS[4], queue = KEYS[6], job = KEYS[7]}
local empresa, job_id, dead_id = tonumber(ARGV[1]), ARGV[2], ARGV[3]
local found = redis.call('XRANGE', KEYS[1], dead_id, dead_id)
if #found == 0 then
  return 0
end
local letter = {}
for i = 1, #found[1][2], 2 do
  letter[found[1][2][i]] = found[1][2][i + 1]
end
-- It came when it came: late is what is late, however often it is replayed.
local at = letter['at'] or string.match(dead_id, '^%d+')
redis.call('XADD', KEYS[2], '*', 'event', letter['event'] or '', 'at', at,
  'id', letter['id'] or ARGV[4])
redis.call('HINCRBY', KEYS[8], 'events', 1)
redis.call('HINCRBY', KEYS[8], 'bytes', #(letter['event'] or ''))
redis.call('XDEL', KEYS[1], dead_id)
local now = now_ms()
local lease = redis.call('GET', KEYS[3])
if lease == 'waiting' then
  -- The way to the work is broken; a job is queued for when it is tried again.
elseif lease then
  redis.call('ZADD', keys.due, 'LT', now, empresa)
else
  ring(keys, empresa, 'drain_inbox', job_id, now)
end
return 1
