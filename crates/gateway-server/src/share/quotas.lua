-- Shares of rates. KEYS: one per account. ARGV: the replica, then twelve numbers per account: limits of requests,
-- tokens and places (below zero: none), what is wanted of each (below zero: given back), the age of the replica's
-- window (below zero: none), what it has taken of requests and tokens in it, and the places it has; the tokens that a
-- waiting call lacks (0: none waits), and those that are left of its share.
-- Answers seven numbers per account: what is given of each, milliseconds until the window ends, what is left of each.
local WINDOW, PAUSE, ALIVE = 60000, 500, 5000
local node = ARGV[1]
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local answer = {}

local function share(want, limit, used)
  if want < 0 or limit < 0 then return want end
  return math.max(0, math.min(want, limit - used))
end

for i, key in ipairs(KEYS) do
  local a = {}
  for j = 1, 12 do a[j] = tonumber(ARGV[1 + (i - 1) * 12 + j]) end
  local age = a[7]
  local goes_on = age >= 0 and age < WINDOW
  local h = redis.call('HMGET', key, 'start', 'requests', 'tokens', 'pause', 'in:' .. node)
  local start, requests, tokens, pause = tonumber(h[1]), tonumber(h[2]) or 0, tonumber(h[3]) or 0, tonumber(h[4]) or 0
  local joined = h[5]
  if not start or now - start >= WINDOW or start > now then
    redis.call('DEL', key)
    start, requests, tokens, pause, joined = now, 0, 0, 0, false
    if goes_on and (a[8] > 0 or a[9] > 0) then
      -- The store has lost a window that goes on: nothing is given until all have told what they took.
      start, pause = now - age, now + PAUSE
    end
  end
  if not joined and goes_on then
    requests, tokens = requests + a[8], tokens + a[9]
  end
  local gives = {share(a[4], a[1], requests), share(a[5], a[2], tokens), 0}
  if a[11] > math.max(gives[2], 0) then
    if a[2] - tokens + a[12] > 0 then
      -- The last call of a window gets more than is left, so that nobody else takes the rest for another last one.
      gives[2] = a[11]
    else
      -- What is too little for a call here may be enough elsewhere.
      gives[2] = -math.max(a[12], 0)
    end
  end
  -- What calls used is used, whether there was so much or not.
  if a[12] < 0 then gives[2] = math.max(gives[2], -a[12]) end
  if now < pause then gives = {math.min(gives[1], 0), math.min(gives[2], 0), 0} end
  requests, tokens = math.max(0, requests + gives[1]), math.max(0, tokens + gives[2])
  redis.call('HSET', key, 'start', start, 'requests', requests, 'tokens', tokens, 'pause', pause, 'in:' .. node, 1)
  redis.call('PEXPIRE', key, 2 * WINDOW)

  local left = -1
  if a[3] >= 0 then
    local places = key .. ':places'
    local others = 0
    local held = redis.call('HGETALL', places)
    for j = 1, #held, 2 do
      local count, seen = string.match(held[j + 1], '(%-?%d+):(%d+)')
      if now - tonumber(seen) > ALIVE then
        redis.call('HDEL', places, held[j])
      elseif held[j] ~= node then
        others = others + tonumber(count)
      end
    end
    gives[3] = share(a[6], a[3], others + a[10])
    local own = a[10] + gives[3]
    if own > 0 then
      redis.call('HSET', places, node, own .. ':' .. now)
      redis.call('PEXPIRE', places, 2 * WINDOW)
    else
      redis.call('HDEL', places, node)
    end
    left = a[3] - others - own
  end
  local rest = function(limit, used) if limit < 0 then return -1 end return math.max(0, limit - used) end
  for _, number in ipairs({gives[1], gives[2], gives[3], start + WINDOW - now, rest(a[1], requests), rest(a[2], tokens), left}) do
    answer[#answer + 1] = number
  end
end
return answer
