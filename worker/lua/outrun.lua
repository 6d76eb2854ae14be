-- worker/lua/outrun.lua: lets the next lease of a task have a higher epoch than the database has seen.
--   KEYS[1] epoch (the last one given out)   ARGV[1] what the database has
-- Needed when Redis's clock was set back, or its data are older than a lease that was used.
if tonumber(redis.call('GET', KEYS[1]) or '0') < tonumber(ARGV[1]) then
  redis.call('SET', KEYS[1], ARGV[1])
end
return 1
