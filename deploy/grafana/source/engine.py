"""How a server does it: the steps of a message, rooms, the store, actors, fan-out, and what is beside the log."""

from beside import BESIDE, PROCESS, SESSIONS
from panel import (
    BLUE,
    GREEN,
    ORANGE,
    PURPLE,
    RED,
    YELLOW,
    Board,
    Panel,
    Query,
    grown,
    happened,
    heatmap,
    mean,
    of,
    quantile,
    quantiles,
    rate,
    share,
    stat,
    value,
)

STEPS = ("receive", "decode", "authorise", "order", "persist", "encode", "fan_out", "write")
OUTCOMES = {"applied": GREEN, "stale": YELLOW, "refused": ORANGE, "unknown": PURPLE, "fatal": RED}
CALLED = {"answered": GREEN, "refused": ORANGE, "unknown": PURPLE, "fatal": RED}

NOW = [
    stat(
        "Messages",
        "Messages acknowledged a second.",
        "ops",
        rate("rookery_message_duration_seconds_count"),
        base=BLUE,
    ),
    stat(
        "Message p99",
        "99 of 100 messages are durable and fanned out within this.",
        "s",
        quantile(0.99, "rookery_message_duration_seconds"),
        steps=[(0.1, YELLOW), (0.25, RED)],
    ),
    stat(
        "Messages a batch",
        "Events that share one append. It grows with the load, and then each message costs less.",
        "none",
        mean("rookery_append_events"),
        base=BLUE,
    ),
    stat(
        "Batches not applied",
        "Part of the batches that the store refused, or of which it is not known. stale is not in it: that is two servers at one room.",
        "percentunit",
        share(
            rate("rookery_appends_total", where='outcome=~"refused|unknown|fatal"'),
            rate("rookery_appends_total"),
        ),
        steps=[(0.001, YELLOW), (0.01, RED)],
    ),
    stat("Rooms in memory", "Room actors.", "short", value("rookery_actors", where='kind="room"'), base=BLUE),
    stat(
        "Deepest mailbox",
        "The most messages that wait for one actor. Above 500: MailboxBacklog.",
        "short",
        f"max({of('rookery_actor_mailbox_deepest')})",
        steps=[(100, YELLOW), (500, RED)],
    ),
    stat(
        "Failures of actors",
        "Actors that panicked or failed in the time shown. Each panic is a bug.",
        "none",
        grown("rookery_actor_failures_total"),
        steps=[(1, RED)],
        decimals=0,
    ),
    stat(
        "Parked now",
        "Rooms that failed again and again and rest for a minute.",
        "none",
        value("rookery_parked_rooms"),
        steps=[(1, RED)],
    ),
]

EIGHT = [
    Panel(
        "Where a message's time goes",
        "Mean time of each of the eight steps, one upon the other. order waits for the batch before, persist is the disk.",
        "s",
        [Query(mean("rookery_step_duration_seconds", where=f'step="{step}"'), step) for step in STEPS],
        width=9,
        height=8,
        stacked=True,
    ),
    Panel(
        "Steps, p99",
        "99 of 100 go through the step within this.",
        "s",
        [Query(quantile(0.99, "rookery_step_duration_seconds", where=f'step="{step}"'), step) for step in STEPS],
        width=9,
        height=8,
    ),
    Panel(
        "Steps a second",
        "How often each step is gone through: a batch is persisted once for all that is in it; of writes a sample is timed.",
        "ops",
        [Query(rate("rookery_step_duration_seconds_count", where=f'step="{step}"'), step) for step in STEPS],
        width=6,
        height=8,
    ),
]

LOG = [
    heatmap(
        "Append",
        "Time until a batch is durable. A band far above the others is the disk stalling.",
        "s",
        "rookery_append_duration_seconds",
    ),
    Panel(
        "Batches by outcome",
        "applied is usual. stale: another server was faster. refused: nothing was written. unknown: it is sent again until it is known. "
        "fatal: the store takes nothing any more.",
        "ops",
        [Query(rate("rookery_appends_total", "outcome"), "{{outcome}}")],
        stacked=True,
        colors=OUTCOMES,
    ),
    Panel(
        "Events a batch", "How many events share an append; 64 at most.", "none", quantiles("rookery_append_events")
    ),
    Panel(
        "Bytes a batch",
        "Bytes of their bodies; 32 KiB at most, but for one larger event.",
        "bytes",
        quantiles("rookery_append_bytes"),
    ),
    Panel(
        "Written again",
        "Writes that were answered from the log because they had been made before: clients that did not hear their ack.",
        "ops",
        [Query(rate("rookery_duplicates_total", "instance"), "{{instance}}")],
    ),
    Panel(
        "Notices",
        "What the courier takes to inboxes a second, and what it has in hand. A failed one is tried again: OutboxStalled.",
        "short",
        [
            Query(rate("rookery_notices_total", "result"), "{{result}}, /s"),
            Query(value("rookery_notices_waiting"), "in hand"),
        ],
        colors={"delivered, /s": GREEN, "failed, /s": RED, "in hand": BLUE},
    ),
]

STORE = [
    Panel(
        "Calls by operation",
        "What the store is asked for.",
        "ops",
        [Query(happened(rate("rookery_store_calls_total", "operation")), "{{operation}}")],
        width=6,
        stacked=True,
    ),
    Panel(
        "Calls by outcome",
        "answered is usual. The others are StoreErrors; probe is refused while the disk is full.",
        "ops",
        [Query(rate("rookery_store_calls_total", "outcome"), "{{outcome}}")],
        width=6,
        stacked=True,
        colors=CALLED,
    ),
    Panel(
        "Calls, p99 by operation",
        "99 of 100 calls take less than this.",
        "s",
        [Query(quantile(0.99, "rookery_store_call_duration_seconds", "operation") + " >= 0", "{{operation}}")],
        width=12,
    ),
    Panel(
        "Commits of the embedded store",
        "Time of a commit, which is one fsync. Nothing here on a server of a cluster.",
        "s",
        quantiles("rookery_store_commit_duration_seconds"),
        width=6,
    ),
    Panel(
        "Writes a commit",
        "How many writes of different rooms share an fsync.",
        "none",
        quantiles("rookery_store_commit_writes"),
        width=6,
    ),
    Panel(
        "Requests to the database",
        "Requests to ScyllaDB or Cassandra. Nothing here on a server with the embedded store.",
        "ops",
        [Query(rate("rookery_cql_requests_total", "outcome"), "{{outcome}}")],
        width=6,
        stacked=True,
        colors={"answered": GREEN, "failed": RED},
    ),
    Panel(
        "Requests to the database within",
        "How fast it answers.",
        "s",
        quantiles("rookery_cql_request_duration_seconds"),
        width=6,
    ),
]

ACTORS = [
    Panel(
        "Actors",
        "Actors that run, by kind: a session a connection, a room a room in use, relays of rooms with more than 1024 listeners.",
        "short",
        [Query(value("rookery_actors", "kind"), "{{kind}}")],
        width=6,
    ),
    Panel(
        "Actors started and failed",
        "Starts a second, and failures by kind and reason. panic is a bug; killed is the end of a server that did not drain in time.",
        "ops",
        [
            Query(rate("rookery_actor_starts_total", "kind"), "{{kind}} started"),
            Query(rate("rookery_actor_failures_total", "kind, reason"), "{{kind}} {{reason}}"),
        ],
        width=6,
        colors={"session panic": RED, "room panic": RED, "session killed": ORANGE, "room killed": ORANGE},
    ),
    Panel(
        "Where turns go",
        "Time that actors spend with each message, in cores: what the engine is busy with.",
        "none",
        [
            Query(
                happened(rate("rookery_actor_message_duration_seconds_sum", "kind, message")), "{{kind}} {{message}}"
            )
        ],
        width=6,
        stacked=True,
    ),
    Panel(
        "Turns, p99",
        "A turn never waits, so above 1 ms it is a long one, and all else of that room or session waits behind it.",
        "s",
        [
            Query(
                quantile(0.99, "rookery_actor_message_duration_seconds", "kind, message") + " >= 0",
                "{{kind}} {{message}}",
            )
        ],
        width=6,
    ),
    Panel(
        "Mailboxes",
        "Messages that wait for an actor: the longest of 1000 (p99.9), and the longest there is.",
        "short",
        [
            Query(quantile(0.999, "rookery_actor_mailbox_depth", "kind"), "{{kind}} p99.9"),
            Query(value("rookery_actor_mailbox_deepest", "kind", how="max"), "{{kind}} longest"),
        ],
        width=6,
        steps=[(500, RED)],
    ),
    Panel(
        "Rooms coming and going",
        "Rooms that read their state when they are used, by result, and that go, by reason: idle is usual.",
        "ops",
        [
            Query(rate("rookery_room_activations_total", "result"), "activated: {{result}}"),
            Query(rate("rookery_room_passivations_total", "reason"), "went: {{reason}}"),
        ],
        width=6,
        colors={"activated: failed": RED, "went: failed": ORANGE},
    ),
    Panel(
        "Activation",
        "Time to read a room's state from the store: what the first one to use it waits.",
        "s",
        quantiles("rookery_room_activation_duration_seconds"),
        width=6,
    ),
    Panel(
        "Parked rooms",
        "Rooms that failed three times in a minute rest for a minute: RoomsParked.",
        "none",
        [Query(value("rookery_parked_rooms"), "parked"), Query(rate("rookery_room_parks_total"), "parked, /s")],
        width=6,
        colors={"parked": RED, "parked, /s": ORANGE},
    ),
]

FAN_OUT = [
    Panel(
        "Events and deliveries",
        "Events appended, and what they come to for all who hear them.",
        "ops",
        [
            Query(rate("rookery_append_events_sum"), "events"),
            Query(rate("rookery_deliveries_total"), "deliveries"),
        ],
        width=6,
    ),
    Panel(
        "Audience of an event",
        "Connections that an event is queued to.",
        "short",
        quantiles("rookery_fan_out_recipients"),
        width=6,
    ),
    Panel(
        "Rooms heard",
        "Rooms that a connection hears, by server.",
        "short",
        [Query(value("rookery_heard_rooms", "instance"), "{{instance}}")],
        width=6,
    ),
    Panel(
        "Frames",
        "WebSocket messages read and frames written a second. Writes take many frames at once.",
        "ops",
        [Query(rate("rookery_frames_received_total"), "in"), Query(rate("rookery_frames_sent_total"), "out")],
        width=6,
        colors={"in": BLUE, "out": GREEN},
    ),
    Panel(
        "Frames in an outbox",
        "What waits for a socket when it is written to; 1024 is full.",
        "short",
        quantiles("rookery_outbox_frames"),
        width=6,
    ),
    Panel(
        "Bytes in an outbox",
        "The same in bytes. From 64 KiB on signals are dropped, from 1 MiB on the reader lags.",
        "bytes",
        quantiles("rookery_outbox_bytes"),
        width=6,
    ),
    Panel(
        "Readers that lag",
        "Connections told to open a room again because they fell too far behind, a second; and relays, whose room then tells their listeners itself.",
        "ops",
        [
            Query(rate("rookery_lagged_total", "instance"), "{{instance}}"),
            Query(rate("rookery_relays_full_total", "instance"), "{{instance}} relays"),
        ],
        width=6,
    ),
    Panel(
        "Signals dropped",
        "Typing, marks and presence not told because too much waited for their reader. Nothing durable is among them.",
        "ops",
        [
            Query(rate("rookery_signals_dropped_total"), "signals"),
            Query(rate("rookery_presence_held_total"), "presence, told later"),
        ],
        width=6,
    ),
]

ENGINE = Board(
    "engine",
    "Rookery / Engine",
    "How a server does it: the steps of a message, rooms, the store, actors, fan-out, and what is beside the log.",
    {
        "Now": NOW,
        "The eight steps of a message": EIGHT,
        "The log": LOG,
        "The store": STORE,
        "Actors": ACTORS,
        "Fan-out and outboxes": FAN_OUT,
        "Sessions and accounts": SESSIONS,
        "Search, files, polling": BESIDE,
        "The process": PROCESS,
    },
)
