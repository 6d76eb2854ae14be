-- worker/lua/settle_dead.lua: takes a dead letter away, or files it under another kind.
--   KEYS[1] dead letters
--   ARGV[1] its stream id   ARGV[2] the other kind, '' to take it away   ARGV[3] the reason for it
-- Returns 1 when this call did it, 0 when the letter is gone.
local found = redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1])
if #found == 0 then
  return 0
end
if ARGV[2] ~= '' then
  local fields = {'kind', ARGV[2], 'cause', ARGV[3]}
  for i = 1, #found[1][2], 2 do
    local name = found[1][2][i]
    if name ~= 'kind' and name ~= 'cause' then
      fields[#fields + 1] = name
      fields[#fields + 1] = found[1][2][i + 1]
    end
  end
  redis.call('XADD', KEYS[1], '*', unpack(fields))
end
return redis.call('XDEL', KEYS[1], ARGV[1])
