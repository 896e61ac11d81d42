//! Every bound of the engine in one place, with its unit, derivation and source.

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

/// A room that was not used for this long is passivated.
pub const ROOM_IDLE: std::time::Duration = std::time::Duration::from_secs(60);

/// How often the sweeper looks at connections.
pub const SWEEP_EVERY: std::time::Duration = std::time::Duration::from_secs(1);

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
