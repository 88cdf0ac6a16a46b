/** What is done in Redis in one go. Times are Redis's own, so that processes need not agree about the time. */

const NOW = `local t = redis.call('TIME') local now = t[1] * 1000 + math.floor(t[2] / 1000)\n`;

/** KEYS room, clusters, rooms; ARGV name. A room's state, version, its cluster, the time, how many rooms and clusters there are. */
export const LOAD: string = `${NOW}
local room = redis.call('HMGET', KEYS[1], 'state', 'version')
return {room[1], room[2], redis.call('HGET', KEYS[2], ARGV[1]), tostring(now), redis.call('SCARD', KEYS[3]), redis.call('HLEN', KEYS[2])}`;

/**
 * KEYS room, rooms, served; ARGV name, expected version, next version, state ('' for none), then channels and messages in turn.
 * 0 when the version is another; nothing is done then.
 */
export const COMMIT: string = `
local version = redis.call('HGET', KEYS[1], 'version') or ''
if version ~= ARGV[2] then return 0 end
if ARGV[4] == '' then
  redis.call('DEL', KEYS[1])
  redis.call('SREM', KEYS[2], ARGV[1])
else
  redis.call('HSET', KEYS[1], 'state', ARGV[4], 'version', ARGV[3])
  redis.call('SADD', KEYS[2], ARGV[1])
end
redis.call('SADD', KEYS[3], ARGV[1])
for i = 5, #ARGV, 2 do redis.call('PUBLISH', ARGV[i], ARGV[i + 1]) end
return 1`;

/** KEYS clusters; ARGV room, cluster. The cluster that the room has from now on: the first that was said. */
export const REMEMBER: string = `
redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[2])
return redis.call('HGET', KEYS[1], ARGV[1])`;

/** KEYS processes; ARGV own name, ms until one that says nothing is dead. Whether it was known, then those that are dead. */
export const BEAT: string = `${NOW}
local known = redis.call('ZSCORE', KEYS[1], ARGV[1])
redis.call('ZADD', KEYS[1], now, ARGV[1])
local dead = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
table.insert(dead, 1, known and '1' or '0')
return dead`;
