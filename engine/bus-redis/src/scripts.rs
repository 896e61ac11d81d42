//! What Redis does in one step.
//!
//! A lease is an entry of one hash: `END PEER`, the moment of the server's clock in milliseconds at
//! which it ends, and what the node says of itself as JSON.

use redis::Script;
use std::sync::LazyLock;

/// Renews the lease of a node, and returns whether it still held it and who else is there.
///
/// Keys: the leases, the node's values. Arguments: its id, what it says of itself, the lease in
/// milliseconds. Returns `{1 or 0, {{id, peer}, …}}`. A node whose lease had ended begins without values.
pub(crate) static RENEW: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local time = redis.call('TIME')
        local now = time[1] * 1000 + math.floor(time[2] / 1000)
        local held, peers = 0, {}
        local leases = redis.call('HGETALL', KEYS[1])
        for at = 1, #leases, 2 do
            local ends, peer = string.match(leases[at + 1], '^(%d+) (.*)$')
            if not ends or tonumber(ends) <= now then
                redis.call('HDEL', KEYS[1], leases[at])
            elseif leases[at] == ARGV[1] then
                held = 1
            else
                peers[#peers + 1] = {leases[at], peer}
            end
        end
        if held == 0 then redis.call('DEL', KEYS[2]) end
        redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f ', now + ARGV[3]) .. ARGV[2])
        redis.call('PEXPIRE', KEYS[1], ARGV[3])
        redis.call('PEXPIRE', KEYS[2], ARGV[3])
        return {held, peers}
        ",
    )
});

/// Returns what the nodes whose lease holds keep under some keys.
///
/// Keys: the leases. Arguments: what the names of the hashes of values begin with, then the keys. Returns
/// `{{id, {value or nil, …}}, …}`.
pub(crate) static GET: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local time = redis.call('TIME')
        local now = time[1] * 1000 + math.floor(time[2] / 1000)
        local found = {}
        local leases = redis.call('HGETALL', KEYS[1])
        for at = 1, #leases, 2 do
            local ends = string.match(leases[at + 1], '^(%d+) ')
            if ends and tonumber(ends) > now then
                local values = redis.call('HMGET', ARGV[1] .. leases[at], unpack(ARGV, 2))
                found[#found + 1] = {leases[at], values}
            end
        end
        return found
        ",
    )
});

/// Takes one try, as `rookery_engine::Throttle` does (GCRA; ITU-T I.371, annex A). A full bucket is gone.
///
/// Keys: the bucket. Arguments: now, the burst, milliseconds for each. Returns milliseconds until the next
/// try passes, 0 where this one has.
pub(crate) static THROTTLE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local now, burst, every = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
        local full = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now) + every
        local over = full - now - every * burst
        if over > 0 then return over end
        redis.call('SET', KEYS[1], string.format('%.0f', full), 'PX', math.max(full - now, 1))
        return 0
        ",
    )
});
