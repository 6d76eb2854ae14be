-- worker/lua/ring.lua: prelude of all scripts: the time, a ring, a count. Not a script of its own.
--
-- A ring is one arq job `drain_inbox(empresa)`, `deliver_replies(empresa)`, `fetch_media(empresa)` or
-- `remind_buyers(empresa)`.
-- At most one is queued per empresa and task; a later one only moves it forward in time.
-- Whatever changes in a queue is said on the channel helix:wake, so that workers need not poll.
local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- After entries have left an inbox: what is held there (see contract.lua). An empty inbox holds
-- nothing, whatever was counted wrongly before.
local function recount(inbox, held, dropped_bytes)
  local left = redis.call('XLEN', inbox)
  if left == 0 then
    redis.call('DEL', held)
  else
    local bytes = tonumber(redis.call('HGET', held, 'bytes') or '0') - tonumber(dropped_bytes)
    redis.call('HSET', held, 'events', left, 'bytes', math.max(0, bytes))
  end
end

-- A gateway's user may lack the right to say so: then its events wait for the workers' next look.
local function wake(queue)
  redis.pcall('PUBLISH', 'helix:wake', queue)
end

-- keys: due (sorted set empresa -> ms), ring (id of the queued job), queue (arq's sorted set),
--       job (where arq looks for the body of the job `id`)
-- knows_all: the caller has just looked at everything, so `at` replaces also an earlier time.
local function ring(keys, empresa, task, id, at, knows_all)
  redis.call('ZADD', keys.due, 'LT', at, empresa)
  local queued = redis.call('GET', keys.ring)
  if queued then
    local score = redis.call('ZSCORE', keys.queue, queued)
    if score then
      if knows_all or tonumber(score) > at then
        redis.call('ZADD', keys.queue, 'XX', at, queued)
        wake(keys.queue)
      end
      return 0
    end
  end
  -- The body is what arq's JSON serializer writes; arq forgets a body after a day, so does the ring.
  local body = string.format('{"t":null,"f":"%s","a":[%d],"k":{},"et":%.0f}', task, empresa, now_ms())
  local life_ms = math.max(0, at - now_ms()) + 86400000
  redis.call('SET', keys.job, body, 'PX', life_ms)
  redis.call('SET', keys.ring, id, 'PX', life_ms)
  redis.call('ZADD', keys.queue, at, id)
  wake(keys.queue)
  return 1
end

