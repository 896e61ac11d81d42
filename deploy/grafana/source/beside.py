"""What is beside a message's way: sessions and accounts, search, files and polling, the process."""

from panel import BLUE, GREEN, GREY, ORANGE, PURPLE, RED, YELLOW, Panel, Query, quantiles, rate, value

RESULTS = {"ok": GREEN, "refused": ORANGE, "expired": YELLOW, "failed": RED}

SESSIONS = [
    Panel(
        "Authentications",
        "Tokens and tickets of connections looked at, by result.",
        "ops",
        [Query(rate("rookery_authentications_total", "result"), "{{result}}")],
        width=6,
        stacked=True,
        colors=RESULTS,
    ),
    Panel(
        "Resumes",
        "Rooms opened, by how the stream was joined: at its head, with what was missed replayed, or too far back (reset).",
        "ops",
        [Query(rate("rookery_room_opens_total", "result"), "{{result}}")],
        width=6,
        stacked=True,
        colors={"head": BLUE, "replayed": GREEN, "reset": ORANGE},
    ),
    Panel(
        "Events missed",
        "Events that a client lacks when it opens a room at a position; beyond 1000 it is a reset.",
        "short",
        quantiles("rookery_replayed_events"),
        width=6,
    ),
    Panel(
        "Presence",
        "Users who are there, and entries of watch lists.",
        "short",
        [Query(value("rookery_presence_users"), "users"), Query(value("rookery_presence_watches"), "watched")],
        width=6,
    ),
    Panel(
        "Presence events",
        "Queued to watchers, a second.",
        "ops",
        [Query(rate("rookery_presence_events_total", "instance"), "{{instance}}")],
        width=6,
    ),
    Panel(
        "Accounts",
        "Logins, registrations, refreshed tokens and letters a second, by result. Refused logins that rise: LoginFlood. Letters that are `later` for minutes: the mail server does not take them.",
        "ops",
        [
            Query(rate("rookery_logins_total", "result"), "login {{result}}"),
            Query(rate("rookery_registrations_total", "result"), "registration {{result}}"),
            Query(rate("rookery_token_refreshes_total", "result"), "refresh {{result}}"),
            Query(rate("rookery_mails_total", "result"), "letter {{result}}"),
        ],
        width=6,
        colors={"login ok": GREEN, "login refused": ORANGE},
    ),
    Panel(
        "Passwords",
        "Time to hash one, its wait included, and how many wait or are being hashed.",
        "s",
        quantiles("rookery_password_duration_seconds"),
        width=6,
    ),
    Panel(
        "Passwords waiting",
        "Passwords that wait to be hashed, or are being. It is bounded: beyond that logins are answered busy.",
        "short",
        [Query(value("rookery_passwords_waiting", "instance"), "{{instance}}")],
        width=6,
    ),
]

BESIDE = [
    Panel(
        "Search",
        "Time to answer a search that was allowed.",
        "s",
        quantiles("rookery_search_duration_seconds"),
        width=6,
    ),
    Panel(
        "Search index",
        "Events of the log that the index has not taken in, and takes in a second. Behind for long: SearchBehind.",
        "short",
        [
            Query(value("rookery_search_behind"), "behind"),
            Query(rate("rookery_search_indexed_total"), "taken in, /s"),
        ],
        width=6,
        colors={"behind": ORANGE, "taken in, /s": GREEN},
    ),
    Panel(
        "Uploads",
        "Uploads that were sent, by what became of them; failed is the store or the place of files.",
        "ops",
        [Query(rate("rookery_uploads_total", "result"), "{{result}}")],
        width=6,
        stacked=True,
        colors={
            "stored": GREEN,
            "repeated": BLUE,
            "refused": YELLOW,
            "failed": RED,
            "busy": ORANGE,
            "broken": PURPLE,
        },
    ),
    Panel(
        "Bytes of files",
        "Received and sent.",
        "binBps",
        [Query(rate("rookery_upload_bytes_total"), "up"), Query(rate("rookery_download_bytes_total"), "down")],
        width=6,
        colors={"up": BLUE, "down": GREEN},
    ),
    Panel(
        "Place of files",
        "Calls to the folder or the bucket, by outcome: refused, unknown and broken are FilesFailing.",
        "ops",
        [Query(rate("rookery_blob_calls_total", "outcome"), "{{outcome}}")],
        width=6,
        stacked=True,
        colors={"done": GREEN, "not_found": GREY, "refused": ORANGE, "unknown": PURPLE, "broken": RED},
    ),
    Panel(
        "Files deleted",
        "Files that nothing referred to any more, and what administration had kept long enough, a second.",
        "ops",
        [
            Query(rate("rookery_files_deleted_total", "instance"), "{{instance}}"),
            Query(rate("rookery_office_forgotten_total", "what"), "{{what}} of the office"),
        ],
        width=6,
    ),
    Panel(
        "Polling",
        "Conditional requests for a page, by what answered them: unchanged costs the store nothing.",
        "ops",
        [Query(rate("rookery_polls_total", "result"), "{{result}}")],
        width=6,
        stacked=True,
    ),
    Panel(
        "Tokens of requests",
        "Access tokens that were remembered (hit), or read from the store (miss).",
        "ops",
        [Query(rate("rookery_token_lookups_total", "result"), "{{result}}")],
        width=6,
        stacked=True,
    ),
]

PROCESS = [
    Panel(
        "Spans of traces",
        "Spans of traced messages a second, by what became of them: full and refused are dropped.",
        "ops",
        [Query(rate("rookery_trace_spans_total", "result"), "{{result}}")],
        width=6,
        colors={"exported": GREEN, "full": ORANGE, "refused": RED},
    ),
    Panel(
        "Configuration",
        "Reloads by result, and whether the last one was taken: 0 is ConfigReloadFailed.",
        "none",
        [
            Query(value("rookery_config_reload_success", "instance"), "taken, {{instance}}"),
            Query(rate("rookery_config_reloads_total", "result"), "{{result}}, /s"),
        ],
        width=6,
        colors={"failed, /s": RED},
    ),
    Panel(
        "Versions",
        "How many servers run which version. Two for longer than a deployment takes: MixedVersions.",
        "none",
        [Query(value("rookery_build_info", "version"), "{{version}}")],
        width=6,
    ),
    Panel(
        "Running for",
        "Since the process was started, and since the node in it was.",
        "s",
        [
            Query(f"time() - {value('process_start_time_seconds', 'instance')}", "process {{instance}}"),
            Query(f"time() - {value('rookery_start_time_seconds', 'instance')}", "node {{instance}}"),
        ],
        width=6,
    ),
    Panel(
        "Threads",
        "Of the process, and those of them that run tasks.",
        "none",
        [
            Query(value("process_threads", "instance"), "all, {{instance}}"),
            Query(value("rookery_runtime_workers", "instance"), "run tasks, {{instance}}"),
        ],
        width=6,
    ),
    Panel(
        "Tasks",
        "Tasks that run or wait, and those that could run and that no thread has taken: these grow when the processor is short.",
        "short",
        [
            Query(value("rookery_runtime_tasks"), "all"),
            Query(value("rookery_runtime_queued_tasks"), "could run"),
        ],
        width=6,
        colors={"could run": ORANGE},
    ),
    Panel(
        "Memory of a process",
        "Resident, and address space. The latter may be large and costs nothing.",
        "bytes",
        [
            Query(value("process_resident_memory_bytes", "instance"), "resident {{instance}}"),
            Query(value("process_virtual_memory_bytes", "instance"), "virtual {{instance}}"),
        ],
        width=6,
    ),
    Panel(
        "Descriptors of a process",
        "Open, and how many may be.",
        "short",
        [
            Query(value("process_open_fds", "instance"), "open {{instance}}"),
            Query(value("process_max_fds", "instance"), "may be {{instance}}"),
        ],
        width=6,
    ),
    Panel(
        "Timers late by",
        "Distribution of how late a timer of one second is.",
        "s",
        quantiles("rookery_event_loop_lag_seconds"),
        width=6,
    ),
    Panel(
        "Processor",
        "Cores in use.",
        "none",
        [Query(rate("process_cpu_seconds_total", "instance"), "{{instance}}")],
        width=6,
    ),
]
