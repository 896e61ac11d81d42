"""What one looks at first: do the servers do what is asked of them, how fast, for how many, and what is it that gives way."""

from panel import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    RED,
    YELLOW,
    Board,
    Panel,
    Query,
    happened,
    heatmap,
    of,
    quantile,
    quantiles,
    rate,
    share,
    stat,
    value,
)

# The objectives, as in rookery.rules.yml.
WITHIN = "0.25"
OBJECTIVE = 0.999
BUDGET = 0.001

OUTCOMES = {"ok": GREEN, "refused": YELLOW, "failed": RED}
CLASSES = {"1xx": GREY, "2xx": GREEN, "3xx": BLUE, "4xx": YELLOW, "5xx": RED}
WINDOWS = ("5m", "1h", "6h", "3d")

in_time = of("rookery_message_duration_seconds_bucket", f'le="{WITHIN}"')
messages = of("rookery_message_duration_seconds_count")


def burn(name):
    """Returns how many times faster than it may each window spends an objective's budget."""
    record = lambda window: f'max(job:rookery_{name}:error_ratio_rate{window}{{job=~"$job"}}) / {BUDGET}'
    return [Query(record(window), window) for window in WINDOWS]


NOW = [
    stat(
        "Servers up",
        "Servers that Prometheus reaches. Fewer than there should be: InstanceDown.",
        "none",
        'sum(up{job=~"$job",instance=~"$instance"})',
        base=RED,
        steps=[(1, GREEN)],
    ),
    stat(
        "Connections",
        "Open WebSocket connections and event streams.",
        "short",
        value("rookery_connections"),
        base=BLUE,
    ),
    stat(
        "Messages",
        "Messages acknowledged a second: durable, numbered and fanned out.",
        "ops",
        rate("rookery_message_duration_seconds_count"),
        base=BLUE,
    ),
    stat("Deliveries", "Events queued to connections a second.", "ops", rate("rookery_deliveries_total"), base=BLUE),
    stat(
        "Ack p99",
        "99 of 100 messages are acknowledged and fanned out within this. The objective is 250 ms.",
        "s",
        quantile(0.99, "rookery_message_duration_seconds"),
        steps=[(0.1, YELLOW), (0.25, RED)],
    ),
    stat(
        "In time",
        "Part of the messages of the time shown that were acknowledged within 250 ms. The objective is 99.9 %.",
        "percentunit",
        f"sum(increase({in_time}[$__range])) / sum(increase({messages}[$__range]))",
        base=RED,
        steps=[(0.99, YELLOW), (OBJECTIVE, GREEN)],
        decimals=2,
    ),
    stat(
        "Failed commands",
        "Part of the commands that failed for a reason of the server's. The objective is below 0.1 %.",
        "percentunit",
        share(rate("rookery_commands_total", where='outcome="failed"'), rate("rookery_commands_total")),
        steps=[(BUDGET, YELLOW), (0.01, RED)],
        decimals=2,
    ),
    stat(
        "Youngest server",
        "How long the server that was started last has been running. Small without a deployment: InstanceRestarting.",
        "s",
        f"min(time() - {of('process_start_time_seconds')})",
        base=ORANGE,
        steps=[(300, GREEN)],
    ),
]

OBJECTIVES = [
    Panel(
        "Latency budget, how fast it is spent",
        "How many times faster than it may the budget of late messages (0.1 %) is spent, over windows of four lengths. At 14.4 in 5m and 1h it "
        "pages (DeliveryLatencyBurnFast), at 1 in 6h and 3d it is a ticket. Needs rookery.rules.yml.",
        "none",
        burn("message_latency"),
        width=6,
        steps=[(1, YELLOW), (14.4, RED)],
    ),
    Panel(
        "Error budget, how fast it is spent",
        "The same for commands and requests that failed for a reason of the server's: ErrorBurnFast, ErrorBurnSlow.",
        "none",
        burn("requests"),
        width=6,
        steps=[(1, YELLOW), (14.4, RED)],
    ),
    Panel(
        "Acknowledged within",
        "Time from a message's arrival in its room until it is durable, acknowledged and fanned out.",
        "s",
        quantiles("rookery_message_duration_seconds"),
        width=6,
        steps=[(0.25, RED)],
        colors={"p99": RED, "p90": ORANGE, "p50": GREEN},
    ),
    heatmap(
        "Acknowledged within, all of them",
        "The same as a distribution. Two bands are two kinds of messages, such as those of rooms at home on another server.",
        "s",
        "rookery_message_duration_seconds",
        width=6,
    ),
]

COMMANDS = [
    Panel(
        "Commands by outcome",
        "Commands of connections answered a second. Refused is the client's fault, failed is the server's.",
        "ops",
        [Query(rate("rookery_commands_total", "outcome"), "{{outcome}}")],
        width=6,
        stacked=True,
        colors=OUTCOMES,
    ),
    Panel(
        "Commands by op",
        "What is asked for.",
        "ops",
        [Query(happened(rate("rookery_commands_total", "op")), "{{op}}")],
        width=6,
        stacked=True,
    ),
    Panel(
        "Commands, p99 by op",
        "99 of 100 commands are answered within this.",
        "s",
        [Query(quantile(0.99, "rookery_command_duration_seconds", "op") + " >= 0", "{{op}}")],
        width=6,
    ),
    Panel(
        "Errors by code",
        "Errors told to connections a second. busy and store_unavailable say that the server gives way; rate_limited and forbidden that "
        "somebody tries things.",
        "ops",
        [Query(happened(rate("rookery_command_errors_total", "code")), "{{code}}")],
        width=6,
        colors={"internal": RED, "store_unavailable": PURPLE, "busy": ORANGE},
    ),
]

REQUESTS = [
    Panel(
        "HTTP requests by status",
        "Requests answered a second, probes among them.",
        "reqps",
        [Query(rate("rookery_http_requests_total", "class"), "{{class}}")],
        width=6,
        stacked=True,
        colors=CLASSES,
    ),
    Panel(
        "HTTP requests by route",
        "What is asked for.",
        "reqps",
        [Query(happened(rate("rookery_http_requests_total", "method, route")), "{{method}} {{route}}")],
        width=6,
        stacked=True,
    ),
    Panel(
        "HTTP requests, p99 by route",
        "99 of 100 requests are answered within this. Of an event stream: until it begins.",
        "s",
        [
            Query(
                quantile(0.99, "rookery_http_request_duration_seconds", "method, route") + " >= 0",
                "{{method}} {{route}}",
            )
        ],
        width=6,
    ),
    Panel(
        "HTTP requests under way",
        "Requests that are being answered. It stays near 0 where answers are fast.",
        "short",
        [Query(value("rookery_http_requests_in_flight", "instance"), "{{instance}}")],
        width=6,
    ),
]

CONNECTIONS = [
    Panel(
        "Connections by codec",
        "Open WebSocket connections, and event streams (sse).",
        "short",
        [Query(value("rookery_connections", "codec"), "{{codec}}")],
        width=6,
        stacked=True,
    ),
    Panel(
        "Coming and going",
        "Connections accepted a second, and ended by close code: 1000 and 1001 are usual, 1006 is a network that broke, 4000 a drain, 4001 a "
        "reader that took nothing.",
        "ops",
        [
            Query(rate("rookery_connects_total"), "accepted"),
            Query(happened(rate("rookery_closes_total", "code")), "{{code}}"),
        ],
        width=6,
        colors={"accepted": GREEN, "1006": ORANGE, "4001": RED, "4000": BLUE},
    ),
    Panel(
        "Ping round trip",
        "From a ping of the server to the next sign of life: what the network to the clients is like. Only who is silent for 25 s is pinged.",
        "s",
        quantiles("rookery_ping_round_trip_seconds"),
        width=6,
    ),
    Panel(
        "Slow readers",
        "Connections whose peer takes nothing although something waits, and those that fell behind a room a second.",
        "short",
        [
            Query(value("rookery_slow_readers"), "take nothing"),
            Query(rate("rookery_lagged_total"), "fell behind, /s"),
        ],
        width=6,
        colors={"take nothing": ORANGE, "fell behind, /s": RED},
    ),
]

SATURATION = [
    Panel(
        "Processor",
        "Cores in use, by server.",
        "none",
        [Query(rate("process_cpu_seconds_total", "instance"), "{{instance}}")],
        width=6,
    ),
    Panel(
        "Threads busy",
        "Part of their time for which the threads that run tasks are busy. Above 90 % for long: CpuSaturated.",
        "percentunit",
        [Query(value("rookery_runtime_busy_ratio", "instance"), "{{instance}}")],
        width=6,
        max=1,
        steps=[(0.9, RED)],
    ),
    Panel(
        "Memory",
        "Resident memory, by server.",
        "bytes",
        [Query(value("process_resident_memory_bytes", "instance"), "{{instance}}")],
        width=6,
    ),
    Panel(
        "File descriptors",
        "Part of those that may be open which are. Each connection takes one. Above 80 %: FdsNearLimit.",
        "percentunit",
        [Query(f"{value('process_open_fds', 'instance')} / {value('process_max_fds', 'instance')}", "{{instance}}")],
        width=6,
        max=1,
        steps=[(0.8, RED)],
    ),
    Panel(
        "Event loop lag",
        "By how much a timer is late. Above 100 ms all that the server does is late: EventLoopLag.",
        "s",
        [Query(quantile(0.99, "rookery_event_loop_lag_seconds", "instance"), "{{instance}}")],
        width=6,
        steps=[(0.1, RED)],
    ),
    Panel(
        "Append p99",
        "99 of 100 batches are durable within this: it is the disk, or the database of a cluster.",
        "s",
        [Query(quantile(0.99, "rookery_append_duration_seconds", "instance"), "{{instance}}")],
        width=6,
        steps=[(0.25, RED)],
    ),
    Panel(
        "Limits hit",
        "What was refused by a limit a second, by which: somebody tries things, or there is too much of it.",
        "ops",
        [Query(rate("rookery_limits_hit_total", "limit"), "{{limit}}")],
        width=6,
    ),
    Panel(
        "What is let in",
        "0: everybody. 1: nobody new, because memory or time is short. 2: nor what is costly: searches, long pages, uploads.",
        "none",
        [Query(value("rookery_admission_level", "instance"), "{{instance}}")],
        width=6,
        steps=[(1, YELLOW), (2, RED)],
    ),
    Panel(
        "Refused for that",
        "What was refused a second because memory or time is short: AdmissionRefusing.",
        "ops",
        [Query(rate("rookery_admission_refused_total", "what"), "{{what}}")],
        width=6,
        stacked=True,
    ),
    Panel(
        "Memory, of what there may be",
        "Memory that cannot be given back. From 90 % on nobody new is let in: MemoryNearLimit.",
        "percentunit",
        [Query(value("rookery_memory_used_ratio", "instance"), "{{instance}}")],
        width=6,
        max=1,
        steps=[(0.8, YELLOW), (0.9, RED)],
    ),
    Panel(
        "Traffic",
        "Bytes of WebSocket messages in, and of frames out.",
        "binBps",
        [
            Query(rate("rookery_received_bytes_total"), "in"),
            Query(rate("rookery_sent_bytes_total"), "out"),
        ],
        width=6,
        colors={"in": BLUE, "out": GREEN},
    ),
]

USE = [
    Panel(
        "Active users",
        "Users who were there in the last day, week and month, of all servers together. Looked at every ten minutes.",
        "short",
        [Query(value("rookery_active_users", "window", how="max"), "{{window}}")],
        width=6,
        colors={"day": GREEN, "week": BLUE, "month": PURPLE},
    ),
    Panel(
        "How many come back",
        "Of the users who came first so many weeks ago, the part that was there this week.",
        "percentunit",
        [Query(value("rookery_users_back_ratio", "weeks_ago", how="max"), "{{weeks_ago}} weeks ago")],
        width=6,
        max=1,
    ),
    Panel(
        "Messages a user",
        "Messages acknowledged an hour, for each user who was there today.",
        "short",
        [
            Query(
                "3600 * " + rate("rookery_message_duration_seconds_count")
                + " / clamp_min(" + value("rookery_active_users", where='window="day"', how="max") + ", 1)",
                "messages",
            )
        ],
        width=6,
    ),
    Panel(
        "Paid today",
        "What was paid since midnight (UTC), in the smallest unit of the currency, as told by POST /admin/revenue.",
        "short",
        [Query(value("rookery_revenue", how="max"), "paid")],
        width=6,
    ),
]

OVERVIEW = Board(
    "overview",
    "Rookery / Overview",
    "Do the servers do what is asked of them, how fast, for how many, and what gives way.",
    {
        "Now": NOW,
        "Objectives": OBJECTIVES,
        "Commands": COMMANDS,
        "HTTP": REQUESTS,
        "Connections": CONNECTIONS,
        "What gives way": SATURATION,
        "Who uses it": USE,
    },
)
