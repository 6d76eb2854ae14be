-- worker/lua/push.lua: puts events on the inbox of an empresa and rings for a worker, in one step.
--   KEYS[1] inbox  helix:{42}:inbox        KEYS[2] lease  helix:{42}:drain_inbox:lease
--   KEYS[3] ring   helix:{42}:drain_inbox:ring   KEYS[4] due  helix:due:drain_inbox
--   KEYS[5] queue  arq:queue               KEYS[6] job    arq:job:<id>
--   ARGV[1] empresa id   ARGV[2] id for a new job   ARGV[3..] events, each the JSON of one event
-- Returns the number of events that are now on the inbox because of this call. An error means that
-- nothing was stored.
local keys = {due = KEYS[4], ring = KEYS[3], queue = KEYS[5], job = KEYS[6]}
if not string.match(ARGV[1], '^[1-9]%d*$') then
  return redis.error_reply('ERR the empresa id must be a whole number above 0')
end
local empresa, id = tonumber(ARGV[1]), ARGV[2]
local now = now_ms()
for i = 3, #ARGV do
  redis.call('XADD', KEYS[1], '*', 'event', ARGV[i], 'at', now)
end
local lease = redis.call('GET', KEYS[2])
if lease == 'waiting' then
  -- The way to the work is broken; a job is queued for when it is tried again.
elseif lease then
  -- Whoever holds the lease looks again before it lets go; the mark tells it, and the sweep, to.
  redis.call('ZADD', keys.due, 'LT', now, empresa)
else
  ring(keys, empresa, 'drain_inbox', id, now)
end
return #ARGV - 2
