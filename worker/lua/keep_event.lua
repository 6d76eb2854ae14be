-- worker/lua/keep_event.lua: moves an inbox entry to the dead letters, in one step, so that a worker
-- that dies here neither loses it nor makes two letters of it.
--   KEYS[1] dead letters  helix:{42}:dead   KEYS[2] inbox   KEYS[3] what is held there
--   KEYS[4] letters that the watcher has not seen
--   ARGV[1] stream id of the entry   ARGV[2] empresa id   ARGV[3] kind   ARGV[4] cause
--   ARGV[5] most letters that wait for the watcher   ARGV[6..] names and values of the letter
-- Returns 1, or 0 when the entry is gone: it was moved before.
if redis.call('XDEL', KEYS[2], ARGV[1]) == 0 then
  return 0
end
recount(KEYS[2], KEYS[3], 0)  -- its bytes go with those that were read with it
redis.call('XADD', KEYS[1], '*', unpack(ARGV, 6))
redis.call('XADD', KEYS[4], 'MAXLEN', '~', ARGV[5], '*',
  'empresa_id', ARGV[2], 'kind', ARGV[3], 'cause', ARGV[4])
return 1
