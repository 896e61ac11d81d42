"""How servers are one: who sees whom, the bus, where rooms are at home, and what was found missing."""

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
    of,
    quantile,
    quantiles,
    rate,
    share,
    stat,
    value,
)

FORWARDED = {"answered": GREEN, "late": ORANGE, "unknown": PURPLE, "not_taken": RED, "moved": BLUE}
nodes = of("rookery_cluster_nodes")

NOW = [
    stat(
        "Servers up",
        "Servers that Prometheus reaches.",
        "none",
        'sum(up{job=~"$job",instance=~"$instance"})',
        base=RED,
        steps=[(1, GREEN)],
    ),
    stat(
        "Fewest seen",
        "The fewest servers that one of them sees, itself included.",
        "none",
        f"min({nodes})",
        base=BLUE,
    ),
    stat(
        "They disagree by",
        "How many servers more one sees than another. Not 0 for long: ClusterSplit.",
        "none",
        f"max({nodes}) - min({nodes})",
        steps=[(1, RED)],
    ),
    stat(
        "Bus",
        "Whether every server has the bus. While it is away words go by way of the store: BusDown.",
        "none",
        f"min({of('rookery_bus_connected')})",
        names={0: ("away", RED), 1: ("there", GREEN)},
    ),
    stat(
        "Lag p99",
        "99 of 100 events are heard of within this, from their order on another server on, their append included. By the clocks of two servers.",
        "s",
        quantile(0.99, "rookery_bus_lag_seconds"),
        steps=[(1, YELLOW), (2.5, RED)],
    ),
    stat(
        "Gaps in all",
        "Times that a room lacked events of another server and read them from the store, in the time shown. Nobody misses anything by it.",
        "none",
        grown("rookery_room_gaps_total"),
        decimals=0,
        base=BLUE,
    ),
    stat(
        "Forwards failing",
        "Part of the writes sent to a room's home on another server that had to be written here instead.",
        "percentunit",
        share(rate("rookery_forwards_total", where='outcome!="answered"'), rate("rookery_forwards_total")),
        steps=[(0.01, YELLOW), (0.05, RED)],
    ),
    stat(
        "Bus away",
        "Part of the time for which the bus was away, of the server for which it was so the longest.",
        "percentunit",
        f"max(rate({of('rookery_bus_away_seconds_total')}[$__range]))",
        steps=[(0.001, YELLOW), (0.01, RED)],
        max=1,
    ),
]

SERVERS = [
    Panel(
        "Servers seen",
        "How many servers each one sees by their leases, itself included. All lines are one where they agree.",
        "none",
        [Query(value("rookery_cluster_nodes", "instance"), "{{instance}}")],
        width=6,
    ),
    Panel(
        "Others whose lease holds",
        "Other servers, as the bus of each one has last heard.",
        "none",
        [Query(value("rookery_bus_peers", "instance"), "{{instance}}")],
        width=6,
    ),
    Panel(
        "Connections by server",
        "Where clients are. A proxy that shares out by fewest connections keeps the lines together.",
        "short",
        [Query(value("rookery_connections", "instance"), "{{instance}}")],
        width=6,
        stacked=True,
    ),
    Panel(
        "Messages by server",
        "Messages acknowledged a second, by the server that has taken them in order.",
        "ops",
        [Query(rate("rookery_message_duration_seconds_count", "instance"), "{{instance}}")],
        width=6,
        stacked=True,
    ),
    Panel(
        "Message p99 by server",
        "One that is slow while the others are not has a machine that is slow.",
        "s",
        [Query(quantile(0.99, "rookery_message_duration_seconds", "instance"), "{{instance}}")],
        width=6,
        steps=[(0.25, RED)],
    ),
    Panel(
        "Coming in by server",
        "Connections accepted a second. After a server went, the others take its clients.",
        "ops",
        [Query(rate("rookery_connects_total", "instance"), "{{instance}}")],
        width=6,
    ),
    Panel(
        "Processor by server",
        "Cores in use.",
        "none",
        [Query(rate("process_cpu_seconds_total", "instance"), "{{instance}}")],
        width=6,
    ),
    Panel(
        "Memory by server",
        "Resident memory.",
        "bytes",
        [Query(value("process_resident_memory_bytes", "instance"), "{{instance}}")],
        width=6,
    ),
]

BUS = [
    Panel(
        "Bus there",
        "1 where the server has the bus, 0 where it is away.",
        "none",
        [Query(value("rookery_bus_connected", "instance"), "{{instance}}")],
        width=6,
        max=1,
    ),
    Panel(
        "Away",
        "Part of each second for which the bus was away.",
        "percentunit",
        [Query(rate("rookery_bus_away_seconds_total", "instance"), "{{instance}}")],
        width=6,
        max=1,
    ),
    Panel(
        "Lag",
        "From the order of an event on another server until it is heard of here, its append included. Above 1 s for long: BusLag.",
        "s",
        quantiles("rookery_bus_lag_seconds"),
        width=6,
        steps=[(1, YELLOW)],
    ),
    Panel(
        "Lost and not taken",
        "Frames that were not taken a second, and how often frames may have been lost, so that rooms were compared with the store.",
        "ops",
        [
            Query(rate("rookery_bus_frames_unsent_total", "instance"), "not taken, {{instance}}"),
            Query(rate("rookery_bus_losses_total", "instance"), "losses, {{instance}}"),
        ],
        width=6,
    ),
    Panel(
        "Frames sent by kind",
        "pulse is the heartbeat, events is what rooms say, submit and answered are forwarded writes.",
        "ops",
        [Query(happened(rate("rookery_bus_frames_sent_total", "kind")), "{{kind}}")],
        width=9,
        stacked=True,
    ),
    Panel(
        "Frames received by kind",
        "unknown are those of a newer version, or broken.",
        "ops",
        [Query(happened(rate("rookery_bus_frames_received_total", "kind")), "{{kind}}")],
        width=9,
        stacked=True,
        colors={"unknown": RED},
    ),
    Panel(
        "Bytes",
        "Sent and received by all chosen servers. One that goes to several counts once for each.",
        "binBps",
        [
            Query(rate("rookery_bus_sent_bytes_total"), "sent"),
            Query(rate("rookery_bus_received_bytes_total"), "received"),
        ],
        width=6,
        colors={"sent": GREEN, "received": BLUE},
    ),
]

HOMES = [
    Panel(
        "Forwards by outcome",
        "Writes sent to the home of their room on another server. late: no answer came in 1.6 s and it was written here; not_taken: its "
        "home did not take it; moved: the room has another home.",
        "ops",
        [Query(rate("rookery_forwards_total", "outcome"), "{{outcome}}")],
        width=6,
        stacked=True,
        colors=FORWARDED,
    ),
    Panel(
        "Forwards by server",
        "How many writes come in at a server that is not their room's home.",
        "ops",
        [Query(rate("rookery_forwards_total", "instance"), "{{instance}}")],
        width=6,
    ),
    Panel(
        "Rooms that others follow",
        "Rooms at home on a server that are heard on others.",
        "short",
        [Query(value("rookery_followed_rooms", "instance"), "{{instance}}")],
        width=6,
    ),
    Panel(
        "Gaps",
        "Times a second that a room lacked events of another server and read them from the store: RoomGaps.",
        "ops",
        [Query(rate("rookery_room_gaps_total", "instance"), "{{instance}}")],
        width=6,
    ),
    Panel(
        "Two at one room",
        "Batches refused as stale: two servers ordered one room, and the store took one of them. Usual for moments when homes move.",
        "ops",
        [Query(rate("rookery_appends_total", "instance", 'outcome="stale"'), "{{instance}}")],
        width=6,
    ),
    Panel(
        "Rooms by server",
        "Room actors, and how many of them read their state a second: rooms that move are activated anew.",
        "short",
        [
            Query(value("rookery_actors", "instance", 'kind="room"'), "{{instance}}"),
            Query(rate("rookery_room_activations_total", "instance"), "activated on {{instance}}, /s"),
        ],
        width=6,
    ),
    Panel(
        "Database p99 by server",
        "99 of 100 requests to ScyllaDB or Cassandra take less than this.",
        "s",
        [Query(quantile(0.99, "rookery_cql_request_duration_seconds", "instance"), "{{instance}}")],
        width=6,
    ),
    Panel(
        "Database requests that failed",
        "By server. One alone has lost its way to the database; all have lost the database.",
        "ops",
        [Query(rate("rookery_cql_requests_total", "instance", 'outcome="failed"'), "{{instance}}")],
        width=6,
    ),
]

CLUSTER = Board(
    "cluster",
    "Rookery / Cluster",
    "How servers are one: who sees whom, the bus, where rooms are at home, and what was found missing.",
    {"Now": NOW, "Servers": SERVERS, "The bus": BUS, "Homes and the store": HOMES},
)
