-- worker/lua/admit_send.lua: may this reply go to the gateway now? If so, it counts as sent.
--   KEYS[1] channel   KEYS[2] pair (channel and buyer)   KEYS[3] gateway's address; all hashes
--   KEYS[4] id of the newest inbox entry with a seller's own words to the buyer   KEYS[5] the inbox
--   ARGV[1] fingerprint of the channel's credentials
--   ARGV[2] ms between messages of the channel   ARGV[3] how many at once
--   ARGV[4] ms between messages to the pair      ARGV[5] how many at once
--   ARGV[6] ms between first contacts            ARGV[7] how many at once
--   ARGV[8] typing in ms   ARGV[9] when the reply was written, in ms   ARGV[10] a probe's life in ms
-- An interval of 0 is no limit. Returns {ms to wait, cause, now in ms}; 0 ms: it may go.
-- Causes `stopped`, `busy`, `silent`, `gateway` hold up the whole channel, the others this reply.
--
-- Intervals are kept by GCRA: `tat` is when all that was let through would have gone at an even pace.
-- Who must wait for the channel's pace gets a slot of its own behind all that wait already, so that
-- a buyer with many messages takes one slot at a time like everybody else.
local fingerprint = ARGV[1]
local every, at_once = tonumber(ARGV[2]), tonumber(ARGV[3])
local pair_every, pair_at_once = tonumber(ARGV[4]), tonumber(ARGV[5])
local new_every, new_at_once = tonumber(ARGV[6]), tonumber(ARGV[7])
local typing, written, probe_life = tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10])
local LOOK_AGAIN_MS = 250
local LAPSED_MS, KEEP_MS, KEEP_PAIR_MS = 5000, 172800000, 7200000
local now = now_ms()

local function read(key)
  local fields, raw = {}, redis.call('HGETALL', key)
  for i = 1, #raw, 2 do fields[raw[i]] = raw[i + 1] end
  return fields
end
local channel, pair, gateway = read(KEYS[1]), read(KEYS[2]), read(KEYS[3])
local function number(fields, name) return tonumber(fields[name] or '0') end
local function refuse(until_ms, cause)
  return {math.max(1, math.ceil(until_ms - now)), cause, now}
end

-- 1. What holds up the whole channel.
if channel.stopped and channel.stopped ~= fingerprint then
  channel.stopped = nil  -- the credentials are new; what is sent with them decides
end
if channel.stopped and now < number(channel, 'probe_at') then
  return refuse(number(channel, 'probe_at'), 'stopped')
end
if now < number(channel, 'until') then
  return refuse(number(channel, 'until'), channel.cause or 'busy')
end
if now < number(gateway, 'until') then
  return refuse(number(gateway, 'until'), 'gateway')
end

-- 2. What holds up this buyer. A seller's words that no drain has seen yet will withdraw this reply.
local function parts(id)
  local ms, seq = string.match(id, '^(%d+)-(%d+)$')
  return tonumber(ms), tonumber(seq)
end
local words = redis.call('GET', KEYS[4])
local oldest = words and redis.call('XRANGE', KEYS[5], '-', '+', 'COUNT', 1)[1]
if oldest then
  local ms, seq = parts(words)
  local old_ms, old_seq = parts(oldest[1])
  if old_ms < ms or (old_ms == ms and old_seq <= seq) then
    return refuse(now + LOOK_AGAIN_MS, 'person')
  end
end
if now < number(pair, 'hold') then
  return refuse(number(pair, 'hold'), 'pair')
end
local pair_free = number(pair, 'tat') - (pair_at_once - 1) * pair_every
if pair_every > 0 and now < pair_free then
  return refuse(pair_free, 'pair')
end
local typed = math.max(written, number(pair, 'last')) + typing
if now < typed then
  return refuse(typed, 'typing')
end

-- 3. The channel's pace, and that of first contacts: when this reply's slot is.
local function slot_of(name, interval, burst)
  local free = number(channel, name .. ':tat') - (burst - 1) * interval
  local slot = number(pair, name .. ':slot')
  if slot > 0 and slot + interval + LAPSED_MS > now then
    return math.max(slot, free)
  end
  local tail = number(channel, name .. ':tail')
  if free <= now and tail <= now then
    return now
  end
  slot = math.max(tail, free)
  redis.call('HSET', KEYS[1], name .. ':tail', slot + interval)
  redis.call('HSET', KEYS[2], name .. ':slot', slot)
  redis.call('PEXPIRE', KEYS[2], KEEP_PAIR_MS)
  return slot
end
every = every * (1 + number(channel, 'slow'))
local slot = every > 0 and slot_of('pace', every, at_once) or now
local new_slot = new_every > 0 and slot_of('new', new_every, new_at_once) or now
if now < new_slot and new_slot >= slot then
  return refuse(new_slot, 'new_contact')
end
if now < slot then
  return refuse(slot, 'pace')
end

-- 4. It goes.
local function count(key, fields, name, interval)
  if interval > 0 then
    redis.call('HSET', key, name, math.max(number(fields, name), now) + interval)
  end
end
count(KEYS[1], channel, 'pace:tat', every)
count(KEYS[1], channel, 'new:tat', new_every)
count(KEYS[2], pair, 'tat', pair_every)
redis.call('HSET', KEYS[2], 'last', now)
redis.call('HDEL', KEYS[2], 'pace:slot', 'new:slot')
redis.call('PEXPIRE', KEYS[2], KEEP_PAIR_MS)
redis.call('HSET', KEYS[1], 'seen', now)
redis.call('PEXPIRE', KEYS[1], KEEP_MS)
-- One at a time finds out whether what was broken works again; the others wait for it.
if channel.stopped then
  redis.call('HSET', KEYS[1], 'probe_at', now + probe_life)
end
if channel.cause == 'silent' then
  redis.call('HSET', KEYS[1], 'until', now + probe_life)
end
if gateway['until'] then
  redis.call('HSET', KEYS[3], 'until', now + probe_life)
end
return {0, 'go', now}
