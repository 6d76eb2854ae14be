-- worker/lua/show.lua: a worker process says that it is there.
--   KEYS[1] all processes, by when they were heard of last, in ms   KEYS[2] report of this one
--   ARGV[1] its name   ARGV[2] report as JSON   ARGV[3] ms after which a silent one is gone
local now, gone = now_ms(), tonumber(ARGV[3])
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('SET', KEYS[2], ARGV[2], 'PX', gone)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - 10 * gone)
return 1
