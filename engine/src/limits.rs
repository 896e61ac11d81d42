//! Every bound of the engine in one place, with its unit, derivation and source.

/// Listeners of a room that are told by one actor, on the average at most. A room of more is divided, and
/// told by relays.
///
/// A room of 1,000 keeps its promised rate without them (bench/RESULTS.md, "fanout-full"). From where on they
/// are better is not measured: with more listeners a room answers nobody for longer, on one core only.
pub const SLICE: usize = 1024;

/// Publications that wait in one slice of a large audience; for one more the room tells them itself.
///
/// Two full batches: a relay that is a turn behind is not pushed aside.
pub const RELAY_WAITING: usize = 2 * BATCH_EVENTS;

/// Events in one append.
///
/// With 32 KiB it stays below Cassandra's 50 KiB batch limit, and at one fsync a batch 64 events
/// already make the fsync a small part of the cost (bench/RESULTS.md, "store").
pub const BATCH_EVENTS: usize = 64;

/// Bytes of event bodies in one append; a single larger event makes a batch of its own.
pub const BATCH_BYTES: usize = 32 * 1024;

/// Commands of one connection that may be under way.
///
/// 32 frames of 64 KiB bound a connection at 2 MiB of queued work; the protocol tells clients the
/// same number (`limits.in_flight`).
pub const CREDITS_PER_CONNECTION: usize = rookery_protocol::limits::IN_FLIGHT;

/// Bytes in an outbox above which ephemeral frames are dropped, and no more commands are read.
///
/// A reader that is 64 KiB behind is seconds behind on a bad link: what it lacks of typing and
/// presence is stale by then, and answering more of its commands would only add to the heap.
pub const OUTBOX_SOFT_BYTES: usize = 64 * 1024;

/// Bytes in an outbox above which durable events are not queued but the room is marked lagged.
///
/// Centrifugo and Centrifuge cut at the same 1 MiB; it bounds 10,000 stopped readers at 10 GiB.
pub const OUTBOX_HARD_BYTES: usize = 1024 * 1024;

/// Frames in an outbox above which it counts as full, whatever their size.
///
/// 1024 queue entries cost 48 KiB of memory by themselves, so small frames are bounded too.
pub const OUTBOX_HARD_FRAMES: usize = 1024;

/// Bytes in an outbox above which the connection is closed, replies or not.
///
/// The hard bound and, above it, what 32 commands under way can still answer at 256 KiB a page;
/// only a peer that pipelines large pages and does not read gets here.
pub const OUTBOX_CLOSE_BYTES: usize = OUTBOX_HARD_BYTES + 32 * 256 * 1024;

/// Failures of one actor within [`PARK_WINDOW`] that park it.
///
/// Three in a minute: a chance hit or two is retried at once, a poisonous message is not
/// (OTP supervisors escalate after 1 in 5 s by default, which a burst of retries would trip).
pub const PARK_AFTER_FAILURES: usize = 3;

/// The time within which failures add up.
pub const PARK_WINDOW: std::time::Duration = std::time::Duration::from_secs(60);

/// How long a parked key is refused.
pub const PARK_FOR: std::time::Duration = std::time::Duration::from_secs(60);

/// How long a connection may stay without authenticating.
pub const AUTH_WITHIN: std::time::Duration =
    std::time::Duration::from_millis(rookery_protocol::limits::AUTH_WITHIN_MS);

/// A peer silent for this long is pinged. NATs forget idle TCP flows after 30 s at the earliest.
pub const PING_EVERY: std::time::Duration =
    std::time::Duration::from_millis(rookery_protocol::limits::PING_EVERY_MS);

/// A pinged peer that stays silent for this long is gone.
pub const PONG_WITHIN: std::time::Duration =
    std::time::Duration::from_millis(rookery_protocol::limits::PONG_WITHIN_MS);

/// A peer that takes nothing for this long although something waits is closed.
///
/// As long as an unanswered ping: either way ten seconds without a sign of life.
pub const STALL_WITHIN: std::time::Duration = std::time::Duration::from_secs(10);

/// A closed connection whose peer has not taken the close frame by then is dropped.
pub const CLOSE_WITHIN: std::time::Duration = std::time::Duration::from_secs(5);

/// Newest events that a room keeps encoded, so that whoever resumes close to the head costs no read.
pub const RING_EVENTS: usize = 256;

/// Bytes of event bodies that a room keeps in its ring; 10,000 active rooms are bounded at 1.3 GiB.
pub const RING_BYTES: usize = 128 * 1024;

/// Newest events that a room reads when it is activated: what a busy room says in some seconds.
pub const ACTIVATION_EVENTS: usize = 64;

/// Drafts that wait in one room; more are refused with `busy`.
///
/// Four batches: at the slowest disk of the field (10 ms a sync) that is a wait of 40 ms.
pub const WAITING_DRAFTS: usize = 256;

/// Client ids that a room remembers, so that a repeated send is answered without a read.
pub const REMEMBERED_WRITES: usize = 1024;

/// Members that a room may have. Each costs the active room about 100 bytes.
pub const ROOM_MEMBERS: u64 = 100_000;

/// How often at most a room tells how far its members have come.
pub const MARKS_EVERY: std::time::Duration = std::time::Duration::from_secs(1);

/// Marks that wait in one room while others are written; more are refused with `busy`.
///
/// Four for each member of a room whose members are told by name, and what a channel of 100,000
/// sends in some milliseconds.
pub const WAITING_MARKS: usize = 1024;

/// Members that a room has at most for cursors to be told by name; above it they are counted.
pub const NAMED_MARKS: usize = 200;

/// The time between two words on the same user's typing.
pub const TYPING_EVERY: std::time::Duration = std::time::Duration::from_secs(3);

/// A user who has not been heard of for this long is not typing any more.
///
/// Twice [`TYPING_EVERY`]: one repetition may be lost.
pub const TYPING_WITHIN: std::time::Duration = std::time::Duration::from_secs(6);

/// Users that are told to be typing in one room at a time; who comes later is not told of.
///
/// Clients show three names and a count.
pub const TYPISTS: usize = 20;

/// How often at most a member is told of a room that it has not open.
pub const HEADS_EVERY: std::time::Duration = std::time::Duration::from_secs(2);

/// Members that are told of a room in one read of the store.
pub const HEADS_AT_ONCE: usize = 100;

/// Members that a room has at most for a mention of all to reach each inbox.
///
/// Each notice is an append of its own; in larger rooms the mention is counted and shown, and no more.
pub const NOTICE_ALL_MEMBERS: usize = 200;
/// Invites of one room that are good at a time; one more is refused.
///
/// One for each place a link is put, with a use count each; a room that needs more is open to everybody.
pub const INVITES_PER_ROOM: usize = 100;

/// Milliseconds that an invite is kept after its last use: a day, in which a client that did not hear
/// that it was let in asks again.
pub const INVITE_KEPT_MS: i64 = 24 * 60 * 60 * 1000;

/// Users that one user blocks at most.
///
/// Each is looked at by every search of that user; 1000 keys of 32 bytes are read in a millisecond.
pub const BLOCKS_PER_USER: usize = 1000;

/// Milliseconds within which a refresh token that was spent is answered once more with what it was spent for.
///
/// A client whose answer was lost tries again within seconds; without this it would end its own login. Who has
/// stolen the token gains nothing by it that it would not have had a moment earlier, and nothing at all once the
/// client has gone on: then what it was spent for is spent too.
pub const REFRESH_AGAIN_MS: i64 = 10_000;

/// Milliseconds that a handle stays its former owner's: 30 days, as long as a login lasts, so that
/// whoever knows somebody by a handle does not write to another person under it.
pub const HANDLE_KEPT_MS: i64 = 30 * 24 * 60 * 60 * 1000;

/// Buckets of one rate limit at a time: about 1 MiB of whoever is limited.
pub const RATE_BUCKETS: usize = 10_000;

/// How long a try that is counted over all nodes waits for the bus; after that the node's own count decides.
///
/// Redis answers within a millisecond. What is counted so is done by hand, and hashing a password takes
/// tens of milliseconds: nobody notices a quarter of a second while Redis hangs.
pub const THROTTLE_WITHIN: std::time::Duration = std::time::Duration::from_millis(250);

/// A room that was not used for this long is passivated.
pub const ROOM_IDLE: std::time::Duration = std::time::Duration::from_secs(60);

/// An inbox that was not used for this long is passivated, however long other rooms are kept.
///
/// It is opened once by every connection and then seldom told anything, an actor costs 12 KiB, and reading
/// an inbox of one member again is one call of the store.
pub const INBOX_IDLE: std::time::Duration = std::time::Duration::from_secs(2);

/// How often the sweeper looks at connections.
pub const SWEEP_EVERY: std::time::Duration = std::time::Duration::from_secs(1);

/// Sweeps in which nothing was sent to a session until its actor lies down: at least two seconds.
///
/// Starting it again takes some 10 µs and lying down gives back 7 KiB. Whoever writes every two seconds
/// keeps it; whoever only reads needs none.
pub const SESSION_REST_SWEEPS: u32 = 2;

/// Sweeps for which a connection that has gone still counts as there: at least five seconds, so that
/// a phone that changes its network is not seen to go.
///
/// A drain spreads clients over 2 s, and a connection with its login takes a second or two on a bad
/// link; Tinode defers the presence of background sessions by the same 5 s.
pub const PRESENCE_GRACE_SWEEPS: u64 = 6;

/// Bytes of entries in one presence event; what does not fit comes a second later.
///
/// Half of what an outbox holds of signals, so that it always fits an idle one. 200 users without a
/// status are 22 KiB, and fit.
pub const PRESENCE_EVENT_BYTES: usize = OUTBOX_SOFT_BYTES / 2;

/// Users that one node has the others asked for, because they are watched on it; further ones are shown as
/// they are on this node.
///
/// An entry is some 200 bytes on each node: 13 MiB for each node that has as many. What is said again after a
/// loss is 1.2 MB.
pub const PRESENCE_ASKED: usize = 65_536;

/// People in one word between nodes: with the longest status of each, two thirds of [`BUS_FRAME`].
pub const PEOPLE_PER_FRAME: usize = 1000;

/// Watchers noted and entries told in one sweep of presence, each; what is left waits for the next.
///
/// A note or an entry takes about a microsecond, so a sweep holds its thread for some tens of
/// milliseconds at most, also when somebody with 100,000 watchers comes and goes.
pub const PRESENCE_WORK_PER_SWEEP: usize = 20_000;

/// Users whose last moment waits to be written; beyond it moments are let go of.
///
/// 65,536 are 3 MiB, and more than a node has connections: only a store that takes nothing for long
/// gets there.
pub const LAST_SEEN_UNSAVED: usize = 65_536;

/// Users in one write of when they were last there: as [`BATCH_EVENTS`], far beyond where the fsync is
/// what it costs.
pub const LAST_SEEN_BATCH: usize = 256;

/// How often the sweeper looks at rooms, counted in its rounds.
pub const ROOM_SWEEP_ROUNDS: u64 = 5;

/// Bytes of bodies in one page of history. A page is cut there, and says that there is more.
pub const PAGE_BYTES: usize = 256 * 1024;

/// The first pause before a batch of unknown outcome is sent again; each further one doubles.
pub const RESEND_AFTER: std::time::Duration = std::time::Duration::from_millis(20);

/// The longest such pause.
pub const RESEND_AFTER_AT_MOST: std::time::Duration = std::time::Duration::from_secs(2);

/// Bytes that a file counts as at least against its owner's quota.
///
/// One block of the usual file systems; it also bounds the rows that one user can make at 262,144 in
/// a quota of 1 GiB.
pub const FILE_CHARGE: u64 = 4096;

/// Files that the janitor takes out in one round.
///
/// A hundred deletes are a second or two on an object store over the network; the janitor comes again.
pub const JANITOR_FILES: usize = 100;

/// How long after its end an upload is still kept.
///
/// A message that was checked just before the end of one of its uploads is in the log by then: a room
/// answers in seconds or not at all.
pub const UPLOAD_GRACE: std::time::Duration = std::time::Duration::from_secs(60);

/// Bytes of one frame between nodes: one batch with what it implies, in the larger of its codecs, fits.
pub const BUS_FRAME: usize = 1 << 20;

/// Bytes that a node keeps under one key of the bus: a status with a short text.
pub const BUS_VALUE: usize = 1024;

/// Frames of the bus that wait on one way, to be heard or to be sent; beyond it they are lost.
///
/// A fifth of a second of what one connection to Redis passes on at its best (some 80,000 frames a second
/// were measured), and seconds of what a node has to say; after that the store is the shorter way.
pub const BUS_WAITING_FRAMES: usize = 16_384;

/// Bytes of those frames: 64 of the largest, and the memory that a stopped reader costs at most.
pub const BUS_WAITING_BYTES: usize = 64 << 20;

/// How often a node says to the others that it is there.
///
/// Four of these are how long a draft waits for its home, so 1.6 s, and two how often the store is looked
/// at where the bus is not to be trusted; a pulse is some hundred bytes to each node.
pub const CLUSTER_BEAT: std::time::Duration = std::time::Duration::from_millis(400);

/// Beats after which a node is said not to be heard, and a home is not sure any more to be the only one that
/// appends: one pulse may be late.
pub const BEATS_OF_HEARING: u32 = 2;

/// Beats for which what was heard of another node is trusted, and a draft that was sent there is waited for.
///
/// Longer than [`BEATS_OF_HEARING`] by two: a home hears with the next pulse that it is not heard, and
/// knows so before anybody else orders what happens in its rooms.
pub const BEATS_OF_TRUST: u32 = 4;

/// Beats for which a node that has gone without a word is expected to write still: 48 s. Most have been
/// killed; one that has only lost the bus has it back by then, or is looked for every
/// [`BEATS_BETWEEN_ROUNDS`].
pub const BEATS_OF_DOUBT: u32 = 120;

/// Beats for which another node's word on who is there counts although it is not heard: 30 s.
///
/// A Redis that is started again, or whose replica takes over, is back by then. Longer, and people are shown
/// who went long ago.
pub const BEATS_OF_SILENCE: u32 = 75;

/// Beats between two looks at the store for rooms that the bus says nothing reliable of: 0.8 s.
pub const BEATS_BETWEEN_LOOKS: u64 = 2;

/// Beats between two looks at the store for the rooms of a home, although all seems well: 8 s, in
/// which 10,000 rooms are 1250 small reads a second.
pub const BEATS_BETWEEN_ROUNDS: u64 = 20;

/// Beats between two words of a node on what it follows.
pub const BEATS_BETWEEN_FOLLOWS: u64 = 4;

/// Beats after which a node that has not said again what it follows does so no more: four of its words
/// may be lost.
pub const BEATS_OF_FOLLOWING: u32 = 20;

/// Rooms that other nodes follow at one home; further ones are looked at in the store by their followers.
///
/// An entry is about 150 bytes: 40 MiB.
pub const FOLLOWED_ROOMS: usize = 1 << 18;

/// Nodes that one node knows of.
pub const CLUSTER_NODES: usize = 1024;

/// Rooms with their home here in which other nodes order for themselves at the moment; beyond it, all are
/// taken for such.
pub const ASTRAY_ROOMS: usize = 4096;

/// Logins whose end is looked for in the store at a time, where a word of it may have been lost.
pub const LOGINS_AT_ONCE: usize = 16;

/// Rooms in one word between nodes on what is followed and on heads: 40 KiB, far below [`BUS_FRAME`].
pub const ROOMS_PER_FRAME: usize = 1000;

/// Rooms whose heads are read from the store at a time to compare them.
pub const LOOKS_AT_ONCE: usize = 16;

/// Rooms that wait to be compared with the store in one round; the rest is for the next one.
pub const LOOKS_PER_ROUND: usize = 10_000;

/// Clients that a server is sent in a second when another one goes down.
///
/// One that comes costs some 2 ms of a core: a handshake, a token, the inbox, the open rooms. It leaves half of
/// two cores to those who are there.
pub const RECONNECTS_PER_SECOND: u64 = 500;

/// The shortest time over which the clients of a server that goes down come back.
pub const RECONNECT_OVER_AT_LEAST_MS: u32 = 2_000;

/// The longest one: beyond it people notice more of the wait than of the crowd.
pub const RECONNECT_OVER_AT_MOST_MS: u32 = 60_000;

/// The least time after which somebody who was refused because the node sheds load comes back: what a level
/// lasts at least.
pub const SHED_RETRY_AT_LEAST_MS: u32 = 5_000;

/// The time over which those come back who were refused at one moment.
pub const SHED_RETRY_OVER_MS: u32 = 10_000;

/// How long the sweeper, which looks around once a second, may not have done so before the process counts as
/// stuck.
///
/// A restart costs every connection, and makes an overload worse: only what does not end by itself is worth it.
pub const STUCK_AFTER: std::time::Duration = std::time::Duration::from_secs(20);

/// How long one commit may take before the node says that it is not ready: a hundred times what the slowest
/// disks of the field take.
pub const SLOW_COMMIT: std::time::Duration = std::time::Duration::from_secs(5);
