"""Real servers under load, a real Prometheus, and every panel of every board asked for what it shows.

prove.py WORK PICTURES: works in the folder WORK and writes the boards as pictures into the folder PICTURES.
Fails for each expression without a value, for rules that cannot be evaluated and for alerts that do not come.
"""

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from draw import board as picture
from load import Crowd
from prometheus import Prometheus, asked

ROOT = Path(__file__).resolve().parents[2]
BOARDS = ROOT / "deploy/grafana/dashboards"

# Two servers that are one, and one that is alone and has its store in a folder. What only one kind has is seen there.
CLUSTER, ALONE = "rookery", "rookery-alone"
SHOWN = {"overview": CLUSTER, "engine": ALONE, "cluster": CLUSTER}
CROWDS = {CLUSTER: 32, ALONE: 20}

# The story: load for a while, so that rates have something to begin with; then, in seconds from there, one of two
# servers is killed and comes back, and Redis stands still.
WARM = 8
KILLED, BACK, PAUSED, RESUMED, END = 8, 13, 23, 28, 36


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Servers:
    """The servers of both kinds, stopped when it is over."""

    def __init__(self, work):
        self.work, self.binary = work, os.environ["ROOKERY_BIN"]
        self.env = os.environ | {
            "ROOKERY_CLUSTER_DIR": str(work / "cluster"),
            # What a password costs is not what is looked at here.
            "ROOKERY_AUTH__ARGON2_MEMORY_KIB": "64",
            "ROOKERY_AUTH__ARGON2_PASSES": "1",
        }
        self.control("down")
        alone = work / "alone"
        subprocess.run(["rm", "-rf", alone], check=True)
        alone.mkdir()
        self.alone = {"http": f"127.0.0.1:{free_port()}", "admin": f"127.0.0.1:{free_port()}"}
        arguments = ["serve", "--data-dir", alone / "data", "--listen", self.alone["http"]]
        settings = {"ROOKERY_SERVER__NODE": "alone", "ROOKERY_LIMITS__RELAXED": "true"}
        self.log = open(alone / "log", "wb")
        self.process = subprocess.Popen(
            [self.binary, *arguments, "--admin-listen", self.alone["admin"]],
            env=self.env | settings,
            stdout=self.log,
            stderr=self.log,
        )
        said = [line.split() for line in self.control("up", "--nodes", "2", "--relaxed").splitlines()]
        self.nodes = {words[1]: dict(word.split("=") for word in words[2:]) for words in said if words[0] == "node"}

    def control(self, *arguments):
        command = [ROOT / "tests/cluster", *arguments]
        return subprocess.run(command, env=self.env, stdout=subprocess.PIPE, text=True, check=True).stdout

    def jobs(self):
        nodes = {name: node["admin"] for name, node in self.nodes.items()}
        return {CLUSTER: nodes, ALONE: {"alone": self.alone["admin"]}}

    def end(self):
        self.process.terminate()
        self.process.wait()
        self.control("down")


def address(text):
    host, port = text.rsplit(":", 1)
    return host, int(port)


async def play(servers):
    """Plays the story under load."""
    crowds = [
        Crowd([address(node["http"]) for node in servers.nodes.values()], CROWDS[CLUSTER]),
        Crowd([address(servers.alone["http"])], CROWDS[ALONE]),
    ]
    await asyncio.gather(*(crowd.gather() for crowd in crowds))
    begin = time.time() + WARM
    tasks = [task for crowd in crowds for task in crowd.begin()]

    async def at(second, *arguments):
        await asyncio.sleep(begin + second - time.time())
        await asyncio.to_thread(servers.control, *arguments)

    async def story():
        await at(KILLED, "kill", "n2")
        await at(BACK, "start", "n2")
        await at(PAUSED, "pause", "redis")
        await at(RESUMED, "resume", "redis")
        await asyncio.sleep(begin + END - time.time())

    told = asyncio.create_task(story())
    done, _ = await asyncio.wait([told, *tasks], return_when=asyncio.FIRST_COMPLETED)
    for task in [told, *tasks]:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert told in done, f"the load has ended: {[task.exception() for task in done]}"
    await told
    return begin, begin + END


def samples_of(prometheus, panel, job, begin, end):
    """Returns the series of a panel, named as in its legend, and the expressions that have no value at all."""
    series, silent = [], []
    for target in panel["targets"]:
        expr = asked(target["expr"], job, end - begin)
        found = prometheus.series(expr, begin, end)
        if not any(value == value for _, samples in found for _, value in samples):
            silent.append(target["expr"])
        for labels, samples in sorted(found, key=lambda one: sorted(one[0].items())):
            name = re.sub(r"\{\{(\w+)\}\}", lambda label: labels.get(label[1], ""), target["legendFormat"])
            series.append((name, [(at - begin, value) for at, value in samples]))
    return series, silent


def look(prometheus, begin, end, pictures):
    """Asks for every panel, draws every board, and returns what has no data."""
    silent, panels = [], 0
    for name, job in SHOWN.items():
        dashboard = json.loads((BOARDS / f"{name}.json").read_text())
        data = {}
        for panel in dashboard["panels"]:
            if panel["type"] == "row":
                continue
            panels += 1
            data[panel["id"]], nothing = samples_of(prometheus, panel, job, begin, end)
            # What this kind of server has not, the other has.
            for other in {CLUSTER, ALONE} - {job} if nothing else ():
                _, here = samples_of(prometheus, panel, other, begin, end)
                nothing = [expr for expr in nothing if expr in here]
            silent += [f"{name}: {panel['title']}: {expr}" for expr in nothing]
        story = (
            f"Two servers and {CROWDS[CLUSTER]} people. A server is killed at 0:{KILLED:02} and started at 0:{BACK:02}; "
            f"Redis stands still from 0:{PAUSED:02} to 0:{RESUMED:02}."
            if job == CLUSTER
            else f"One server with its store in a folder, and {CROWDS[ALONE]} people."
        )
        (pictures / f"{name}.svg").write_text(picture(dashboard, data, (0, end - begin), story))
    print(f"{panels} panels")
    return silent


def main(work, pictures):
    # What was started is stopped, however this ends.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    servers = Servers(work)
    prometheus = None
    try:
        prometheus = Prometheus(work, free_port(), servers.jobs())
        begin, end = asyncio.run(play(servers))
        silent = look(prometheus, begin, end, pictures)
        assert not silent, "no data:\n  " + "\n  ".join(silent)
        print(f"stayed at 0: {', '.join(prometheus.still()) or 'nothing'}")
        broken = prometheus.broken_rules()
        assert not broken, "rules:\n  " + "\n  ".join(broken)
        assert ("Watchdog", "firing") in prometheus.alerts()
    finally:
        if prometheus:
            prometheus.end()
        servers.end()


main(Path(sys.argv[1]), Path(sys.argv[2]))
