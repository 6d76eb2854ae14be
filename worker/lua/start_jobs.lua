-- worker/lua/start_jobs.lua: takes jobs off an arq queue for one worker, as arq itself does it with
-- four calls for each: a mark says for a while that somebody is at it.
--   KEYS[1] queue   and the marks, one for each job
--   ARGV[1] now in ms, by the clock that the worker goes by   ARGV[2] life of a mark in ms
--   and the ids of the jobs, in the order of their marks
-- Returns for each job when it was to run, in ms, or -1: it is not to be run here.
local queue, now, life_ms = KEYS[1], tonumber(ARGV[1]), ARGV[2]
local started = {}
for n = 1, #ARGV - 2 do
  local score = tonumber(redis.call('ZSCORE', queue, ARGV[n + 2]) or 'inf')
  if score <= now and redis.call('SET', KEYS[n + 1], '1', 'NX', 'PX', life_ms) then
    started[n] = math.floor(score)
  else
    started[n] = -1
  end
end
return started
