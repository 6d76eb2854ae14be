-- worker/lua/push.lua: puts events on the inbox of an empresa and rings for a worker, in one step.
--   KEYS[1] inbox  helix:{42}:inbox        KEYS[2] lease  helix:{42}:drain_inbox:lease
--   KEYS[3] ring   helix:{42}:drain_inbox:ring   KEYS[4] due  helix:due:drain_inbox
--   KEYS[5] queue  arq:queue               KEYS[6] job    arq:job:<id>
--   ARGV[1] empresa id   ARGV[2] id for a new job   ARGV[3..] events, each the JSON of one event
-- Returns the number of events that are now on the inbox because of this call.
local keys = {due = KEYS[4], ring = KEYS[3], queue = KEYS[5], job = KEYS[6]}
local empresa, id = tonumber(ARGV[1]), ARGV[2]
local now = now_ms()
for i = 3, #ARGV do
  redis.call('XADD', KEYS[1], '*', 'event', ARGV[i], 'at', now)
end
if redis.call('EXISTS', KEYS[2]) == 1 then
  -- Whoever holds the lease looks again before it lets go; the mark tells it, and the sweep, to.
  redis.call('ZADD', keys.due, 'LT', now, empresa)
else
  ring(keys, empresa, 'drain_inbox', id, now)
end
return #ARGV - 2
