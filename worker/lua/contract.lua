-- worker/lua/contract.lua: the Redis functions that gateways in any language call. Library `helix`.
-- The page docs/redis-contract.md is their contract. ring.lua comes before this text.
--
--   FCALL helix_push 1 helix:{42}:inbox EVENT [EVENT ...]     events as JSON, at most 1,000
-- Puts the events on the inbox of empresa 42 and rings for a worker, in one step. Returns the stream
-- ids, one per event. An error means that nothing was stored; its first word says what to do.
-- A status event of gateway `redis` that names a reply (`our_ref`) also takes that reply off its
-- stream: the report is the acknowledgement.
--
--   FCALL_RO helix_version 0     the version of this contract, a whole number
local VERSION = 3
local MOST_EVENTS, LARGEST = 1000, 4194304
local SENT_MARK_MS, FAILED_MARK_MS = 86400000, 300000
local HUSH_MS = 60000

local KINDS = {text = 1, image = 1, audio = 1, video = 1, document = 1, sticker = 1, location = 1,
  contacts = 1, interactive = 1, referral_text = 1, unsupported = 1, reaction = 1, edited = 1,
  revoked = 1, status = 1, human_echo = 1, ignored = 1,
  lead = 1, preference = 1, typing = 1}
local SETTLES = {sent = SENT_MARK_MS, delivered = SENT_MARK_MS, read = SENT_MARK_MS,
  played = SENT_MARK_MS, failed = FAILED_MARK_MS}

local function is_text(value)
  return type(value) == 'string' and value ~= ''
end

-- The event as a table, or nil and what is wrong with it.
local function read(json)
  if #json > LARGEST then
    return nil, 'HELIX_TOO_LARGE', #json .. ' bytes, at most ' .. LARGEST
  end
  local ok, event = pcall(cjson.decode, json)
  if not ok or type(event) ~= 'table' or not string.find(json, '^%s*{') then
    return nil, 'HELIX_NOT_JSON', 'not the JSON of an object'
  end
  if not is_text(event.kind) or not KINDS[event.kind] then
    return nil, 'HELIX_INVALID', 'kind is missing or unknown'
  end
  for _, name in ipairs({'gateway', 'channel'}) do
    if not is_text(event[name]) then
      return nil, 'HELIX_INVALID', name .. ' is missing'
    end
  end
  local phone = event.phone
  if phone and phone ~= cjson.null and not (is_text(phone) and string.match(phone, '^%d+$')
      and #phone >= 5 and #phone <= 20) then
    return nil, 'HELIX_INVALID', 'phone is not 5 to 20 digits'
  end
  return event
end

-- Takes a reply that the event reports on off the stream that it waits on.
local function settle(empresa, event)
  local ref = event.kind == 'status' and event.gateway == 'redis' and event.our_ref
  local mark_ms = SETTLES[event.status]
  local row = is_text(ref) and string.match(ref, '^' .. empresa .. ':(%d+)$')
  if not row or not mark_ms then
    return
  end
  local key = 'helix:{' .. empresa .. '}:reply:' .. row
  local stream = 'helix:replies:' .. event.channel
  local open = redis.call('HMGET', key, 'state', 'stream', 'id')
  if not open[1] or open[2] ~= stream then
    return
  end
  redis.call('HSET', key, 'state', event.status == 'failed' and 'failed' or 'sent')
  redis.call('PEXPIRE', key, mark_ms)
  if open[3] then
    redis.pcall('XACK', stream, 'gateway', open[3])
    redis.call('XDEL', stream, open[3])
  end
end

-- A seller has written to a buyer: while that stands on the inbox nothing more goes out to him.
local function hush(empresa, event, id)
  if event.kind == 'human_echo' and is_text(event.reply_to) then
    local whose = redis.sha1hex(event.channel .. ' ' .. event.reply_to)
    redis.call('SET', 'helix:{' .. empresa .. '}:hush:' .. whose, id, 'PX', HUSH_MS)
  end
end

local function push(keys, args)
  local empresa = #keys == 1 and string.match(keys[1], '^helix:{([1-9]%d*)}:inbox$')
  if not empresa then
    return redis.error_reply('HELIX_KEY one key is needed: helix:{<empresa>}:inbox')
  end
  if #args == 0 or #args > MOST_EVENTS then
    return redis.error_reply('HELIX_COUNT ' .. #args .. ' events; 1 to ' .. MOST_EVENTS .. ' a call')
  end
  local events = {}
  for i, json in ipairs(args) do
    local event, code, problem = read(json)
    if not event then
      return redis.error_reply(code .. ' event ' .. i .. ': ' .. problem)
    end
    events[i] = event
  end
  local now, ids = now_ms(), {}
  for i, json in ipairs(args) do
    ids[i] = redis.call('XADD', keys[1], '*', 'event', json, 'at', now)
    settle(empresa, events[i])
    hush(empresa, events[i], ids[i])
  end
  local task = 'helix:{' .. empresa .. '}:drain_inbox:'
  local due = 'helix:due:drain_inbox'
  local lease = redis.call('GET', task .. 'lease')
  if lease == 'waiting' then
    -- The way to the work is broken; a job is queued for when it is tried again.
  elseif lease then
    -- Whoever holds the lease looks again before it lets go; the mark tells it, and the sweep, to.
    redis.call('ZADD', due, 'LT', now, empresa)
  else
    local id = 'drain_inbox:' .. empresa .. ':' .. ids[#ids]
    ring({due = due, ring = task .. 'ring', queue = 'arq:queue', job = 'arq:job:' .. id},
      empresa, 'drain_inbox', id, now)
  end
  return ids
end

redis.register_function('helix_push', push)
redis.register_function{function_name = 'helix_version', flags = {'no-writes'},
  callback = function() return VERSION end}
