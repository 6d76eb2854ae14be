-- worker/lua/look_or_leave.lua: after a pass of a drain. Lets go of the entries that are committed;
-- when more is there it keeps the lease and reads it, else it rings for those who go on with what was
-- done, and gives the lease back.
--   KEYS[1] to KEYS[8] as those of leave.lua   KEYS[9] inbox   KEYS[10] what is held there
--   and five for each task to ring: lease, ring, due, queue, job
--   ARGV[1] empresa id   ARGV[2] task   ARGV[3] epoch   ARGV[4] id for a new job
--   ARGV[5] when work is next due, in ms ('' for never)   ARGV[6] life in milliseconds
--   ARGV[7] id of the last entry that is committed ('' for none)   ARGV[8] SHA-1 of its event
--   ARGV[9] most entries to read   ARGV[10] bytes of the events that are dropped
--   and two for each task to ring: task, id for a new job
-- Returns false when the lease has gone; else {now in ms, entries as XRANGE gives them, 1 when the
-- lease was given back}.
local keys = {lease = KEYS[1], ring = KEYS[2], due = KEYS[3], queue = KEYS[4], job = KEYS[5],
              waits = KEYS[7], due_of_other = KEYS[8]}
local empresa, task, epoch, id = tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4]
local next_at, life_ms = tonumber(ARGV[5]), tonumber(ARGV[6])
if redis.call('GET', keys.lease) ~= epoch then
  return false
end
local now = now_ms()
let_go(KEYS[9], KEYS[10], ARGV[7], ARGV[8], ARGV[10])
local entries = redis.call('XRANGE', KEYS[9], '-', '+', 'COUNT', ARGV[9])
if #entries > 0 or (next_at and next_at <= now) then
  keep(keys.lease, keys.due, empresa, now, life_ms)
  return {now, entries, 0}
end
redis.call('DEL', KEYS[6])
for n = 0, (#KEYS - 10) / 5 - 1 do
  local k, a = 10 + 5 * n, 10 + 2 * n
  local theirs = {lease = KEYS[k + 1], ring = KEYS[k + 2], due = KEYS[k + 3], queue = KEYS[k + 4],
                  job = KEYS[k + 5]}
  ring_unless_held(theirs, empresa, ARGV[a + 1], ARGV[a + 2], now, false)
end
give_back(keys, empresa, task, id, now, next_at, false)
return {now, entries, 1}
