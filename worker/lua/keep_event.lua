-- worker/lua/keep_event.lua: moves an inbox entry to the dead letters, in one step, so that a worker
-- that dies here neither loses it nor makes two letters of it.
--   KEYS[1] dead letters  helix:{42}:dead   KEYS[2] inbox
--   ARGV[1] stream id of the entry   ARGV[2..] names and values of the letter
-- Returns 1, or 0 when the entry is gone: it was moved before.
if redis.call('XDEL', KEYS[2], ARGV[1]) == 0 then
  return 0
end
redis.call('XADD', KEYS[1], '*', unpack(ARGV, 2))
return 1
