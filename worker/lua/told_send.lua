-- worker/lua/told_send.lua: what became of a send, for those that follow on this channel.
--   KEYS[1] channel   KEYS[2] pair   KEYS[3] gateway's address   KEYS[4] set of stopped channels
--   ARGV[1] outcome: taken (sent, or refused for what it is), answered, busy, pair, stopped, silent
--   ARGV[2] when it was admitted, in ms   ARGV[3] the gateway's own wish to wait, in ms
--   ARGV[4] fingerprint of the credentials   ARGV[5] channel's id   ARGV[6] factor for our own waits
-- Returns {what changed, ms to wait}: `stopped`, `resumed`, `resting`, `busy`, `gateway`, or ''.
--
-- Several sends may be under way when a wait begins, and all fail of the same: only one that was
-- admitted after the last change makes the next wait longer.
local outcome, admitted, asked = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local fingerprint, id, spread = ARGV[4], ARGV[5], tonumber(ARGV[6])
local BUSY_MS, BUSY_MOST_MS = 1000, 300000
local REST_MS, REST_MOST_MS, REST_AFTER = 1000, 60000, 2
local PROBE_MS, PROBE_MOST_MS = 60000, 3600000
local PAIR_MS, PAIR_MOST_POWER = 1000, 6
local KEEP_MS, KEEP_PAIR_MS, KEEP_GATEWAY_MS = 172800000, 7200000, 600000
local now = now_ms()
local function get(key, field) return tonumber(redis.call('HGET', key, field) or '0') end
local function set(key, ...) redis.call('HSET', key, ...) end
local function doubled(first, times, most) return math.min(most, first * 2 ^ math.min(times, 20)) end

if outcome ~= 'silent' then  -- it answers
  redis.call('DEL', KEYS[3])
  redis.call('HDEL', KEYS[1], 'fails', 'rests')
  if redis.call('HGET', KEYS[1], 'cause') == 'silent' then
    redis.call('HDEL', KEYS[1], 'until', 'cause')
  end
end

if outcome == 'taken' then
  redis.call('HDEL', KEYS[2], 'hold', 'holds')
  local slow = get(KEYS[1], 'slow')
  if slow > 0 then
    set(KEYS[1], 'slow', math.max(0, slow - 0.05))
  end
  if redis.call('HDEL', KEYS[1], 'stopped') == 1 then
    redis.call('HDEL', KEYS[1], 'probe_at', 'probes', 'changed')
    redis.call('SREM', KEYS[4], id)
    return {'resumed', 0}
  end
  redis.call('SREM', KEYS[4], id)
  return {'', 0}
end

if outcome == 'busy' then
  local slow, wait, change = get(KEYS[1], 'slow'), asked, ''
  if admitted > get(KEYS[1], 'slowed') then
    wait = math.max(asked, doubled(BUSY_MS, slow, BUSY_MOST_MS) * spread)
    set(KEYS[1], 'slow', slow + 1, 'slowed', now)
    change = 'busy'
  end
  set(KEYS[1], 'until', math.max(get(KEYS[1], 'until'), now + wait), 'cause', 'busy')
  redis.call('PEXPIRE', KEYS[1], KEEP_MS)
  return {change, math.ceil(get(KEYS[1], 'until') - now)}
end

if outcome == 'pair' then
  local holds = get(KEYS[2], 'holds')
  local wait = math.max(asked, PAIR_MS * 4 ^ math.min(holds, PAIR_MOST_POWER))
  set(KEYS[2], 'hold', now + wait, 'holds', holds + 1)
  redis.call('PEXPIRE', KEYS[2], wait + KEEP_PAIR_MS)
  return {'', wait}
end

if outcome == 'stopped' then
  local known = redis.call('HGET', KEYS[1], 'stopped') == fingerprint
  if known and admitted <= get(KEYS[1], 'changed') then
    return {'', math.ceil(get(KEYS[1], 'probe_at') - now)}
  end
  local probes = known and get(KEYS[1], 'probes') + 1 or 0
  local wait = math.max(asked, doubled(PROBE_MS, probes, PROBE_MOST_MS) * spread)
  set(KEYS[1], 'stopped', fingerprint, 'probes', probes, 'probe_at', now + wait, 'changed', now)
  redis.call('PEXPIRE', KEYS[1], KEEP_MS)
  redis.call('SADD', KEYS[4], id)
  return {known and '' or 'stopped', math.ceil(wait)}
end

if outcome == 'silent' then
  local change, wait = '', 0
  local fails, rests = get(KEYS[1], 'fails') + 1, get(KEYS[1], 'rests')
  set(KEYS[1], 'fails', fails)
  if fails >= REST_AFTER and (rests == 0 or admitted > get(KEYS[1], 'rested')) then
    wait = doubled(REST_MS, rests, REST_MOST_MS) * spread
    set(KEYS[1], 'until', now + wait, 'cause', 'silent', 'rests', rests + 1, 'rested', now)
    change = 'resting'
  end
  redis.call('PEXPIRE', KEYS[1], KEEP_MS)
  -- Two channels that both hear nothing: it is the gateway. One alone may be its own trouble.
  set(KEYS[3], 'f:' .. id, now)
  redis.call('PEXPIRE', KEYS[3], KEEP_GATEWAY_MS)
  local silent = 0
  for _, field in ipairs(redis.call('HKEYS', KEYS[3])) do
    if string.sub(field, 1, 2) == 'f:' then silent = silent + 1 end
  end
  local openings = get(KEYS[3], 'openings')
  if silent >= 2 and (openings == 0 or admitted > get(KEYS[3], 'opened')) then
    wait = doubled(REST_MS, openings, REST_MOST_MS) * spread
    set(KEYS[3], 'until', now + wait, 'openings', openings + 1, 'opened', now)
    change = 'gateway'
  end
  return {change, math.ceil(wait)}
end
return {'', 0}
