-- worker/lua/holder.lua: second prelude of all scripts: what whoever holds a lease does in several of
-- them. Not a script of its own.

-- Drops the entries of an inbox that are committed. After a failover ids may be given a second time,
-- to entries that nobody has read: what is dropped goes up to an entry that is the very one that was
-- read (`digest`: SHA-1 of its event), or stays, and changes nothing once more.
local function let_go(inbox, held, last, digest, dropped_bytes)
  local entry = last ~= '' and redis.call('XRANGE', inbox, last, last)[1]
  if not entry then
    return
  end
  local event = ''
  for i = 1, #entry[2], 2 do
    if entry[2][i] == 'event' then event = entry[2][i + 1] end
  end
  if redis.sha1hex(event) == digest then
    redis.call('XTRIM', inbox, 'MINID', last)
    redis.call('XDEL', inbox, last)
    recount(inbox, held, dropped_bytes)
  end
end

-- Keeps the lease and clears the mark of those who rang before now.
local function keep(lease, due, empresa, now, life_ms)
  redis.call('PEXPIRE', lease, life_ms)
  redis.call('ZADD', due, now + life_ms, empresa)
end

-- Rings, unless a worker is at it: then it only leaves its mark.
-- keys: as those of `ring`, and lease   end_wait: also while the way to the work is broken
local function ring_unless_held(keys, empresa, task, id, now, end_wait)
  local lease = redis.call('GET', keys.lease)
  if lease == 'waiting' then
    if not end_wait then
      return 0  -- a job is queued for when it is tried again
    end
    redis.call('DEL', keys.lease)
  elseif lease then
    redis.call('ZADD', keys.due, 'LT', now, empresa)
    return 0
  end
  return ring(keys, empresa, task, id, now)
end

-- Gives the lease back and sees to it that somebody comes when there is more.
-- keys: as those of `ring`, and lease; waits, due_of_other: of a task that answers buyers
-- next_at: when work is next due, nil for never   wait: nobody looks before, whoever rings
local function give_back(keys, empresa, task, id, now, next_at, wait)
  local rung = tonumber(redis.call('ZSCORE', keys.due, empresa) or 'inf') <= now
  redis.call('ZREM', keys.due, empresa)
  if wait and next_at > now then
    -- Nobody holds this lease; until it runs out, those who ring only leave their mark.
    redis.call('SET', keys.lease, 'waiting', 'PX', next_at - now)
  else
    redis.call('DEL', keys.lease)
    if rung then
      next_at = now
    end
  end
  if next_at then
    -- Not in the past: who gives way queues behind the others.
    ring(keys, empresa, task, id, math.max(next_at, now), true)
  elseif keys.waits and not redis.call('ZSCORE', keys.due_of_other, empresa) then
    redis.call('ZREM', keys.waits, empresa)  -- nothing to decide, nothing to send: nobody waits
  end
end

