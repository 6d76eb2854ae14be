-- gateway/redis_stream/hand_over.lua: puts a reply on its channel's stream, once, and on every later
-- call says how far it got. The page docs/redis-contract.md is the contract with who reads there.
--   KEYS[1] stream  helix:replies:loja-7     KEYS[2] mark of the reply  helix:{42}:reply:1234
--   ARGV[1] the reply as JSON; '' takes it back instead, if no consumer may be sending it
--   ARGV[2] its ref  42:1234
--   ARGV[3] ms for which an entry may be sent   ARGV[4] ms after that until a taken one is missed
--   ARGV[5] ms after which an entry that nobody has taken is put there anew
-- Returns: waiting   nobody has taken it yet           taken     a consumer has it, and may report
--          reported  its status is on the inbox        lost      taken twice, never reported: given up
--          recalled  it is not on the stream, and nobody sends it
local GROUP, MARK_MS = 'gateway', 86400000
local KEEP_MS = 3600000  -- far beyond what any entry that counts stands
local stream, mark = KEYS[1], KEYS[2]
local life, grace, renewal = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function put(attempt)
  redis.pcall('XGROUP', 'CREATE', stream, GROUP, '0', 'MKSTREAM')
  -- What was withdrawn is looked at no more, and its consumer leaves it: it would stand for ever.
  redis.call('XTRIM', stream, 'MINID', string.format('%.0f', now - KEEP_MS))
  local expires = string.format('%.0f', now + life)
  local id = redis.call('XADD', stream, '*', 'reply', ARGV[1], 'ref', ARGV[2],
    'expires', expires, 'attempt', attempt)
  redis.call('HSET', mark, 'state', 'open', 'stream', stream, 'id', id, 'attempt', attempt,
    'at', string.format('%.0f', now))
  redis.call('PEXPIRE', mark, MARK_MS)
  return 'waiting'
end

local function take_off(id)
  redis.pcall('XACK', stream, GROUP, id)
  redis.call('XDEL', stream, id)
end

local function parts(id)
  local ms, seq = string.match(id, '^(%d+)-(%d+)$')
  return tonumber(ms), tonumber(seq)
end

-- Whether the group has given the entry to a consumer: it stands at that entry or past it.
local function was_taken(id)
  local groups = redis.pcall('XINFO', 'GROUPS', stream)
  if groups.err then
    return false
  end
  local ms, seq = parts(id)
  for _, group in ipairs(groups) do
    local facts = {}
    for i = 1, #group, 2 do
      facts[group[i]] = group[i + 1]
    end
    if facts.name == GROUP then
      local last_ms, last_seq = parts(facts['last-delivered-id'])
      return ms < last_ms or (ms == last_ms and seq <= last_seq)
    end
  end
  return false
end

local known = redis.call('HMGET', mark, 'state', 'id', 'at', 'attempt')
local state, id, at, attempt = known[1], known[2], tonumber(known[3] or 0), tonumber(known[4] or 0)
local recalls = ARGV[1] == ''
if not state then
  return recalls and 'recalled' or put(1)
end
if state ~= 'open' then
  return 'reported'
end
if recalls and (not was_taken(id) or now > at + life + grace) then
  take_off(id)
  redis.call('DEL', mark)
  return 'recalled'
end
if not was_taken(id) then
  if now - at < renewal then
    return 'waiting'
  end
  take_off(id)
  return put(attempt)
end
if now <= at + life + grace then
  return 'taken'
end
take_off(id)
if attempt == 1 then
  return put(2)
end
redis.call('DEL', mark)
return 'lost'
