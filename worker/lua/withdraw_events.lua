-- worker/lua/withdraw_events.lua: takes single events off an inbox: a person's, who wants them gone.
--   KEYS[1] inbox   KEYS[2] what is held there (see contract.lua)
--   ARGV    stream ids
-- Returns how many were there. Their bytes are counted here, for nobody has read them for storing.
local gone, bytes = 0, 0
for _, id in ipairs(ARGV) do
  local found = redis.call('XRANGE', KEYS[1], id, id)[1]
  if found then
    for i = 1, #found[2], 2 do
      if found[2][i] == 'event' then bytes = bytes + #found[2][i + 1] end
    end
    gone = gone + redis.call('XDEL', KEYS[1], id)
  end
end
if gone > 0 then
  recount(KEYS[1], KEYS[2], bytes)
end
return gone
