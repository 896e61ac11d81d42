"""Caddy with the file of deploy/ in front of two nodes of a real cluster, tried from outside.

proxy.py WORK
"""

import base64
import json
import os
import re
import socket
import struct
import subprocess
import sys
import threading
import time
import tomllib
from http.client import HTTPConnection
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60
SOCKETS = 8


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def within(what, is_so):
    """Waits until it is so, and returns what it is."""
    end = time.monotonic() + PATIENCE
    while not (found := is_so()):
        assert time.monotonic() < end, f"waited too long for {what}"
        time.sleep(0.1)
    return found


def call(port, method, path, body=None, source="127.0.0.1", headers=None, token=None):
    """Returns the status, the body and the headers of one request."""
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE, source_address=(source, 0))
    headers = dict(headers or {})
    if token:
        headers["Authorization"] = f"Bearer {token}"
    text = None
    if body is not None:
        headers["Content-Type"], text = "application/json", json.dumps(body)
    connection.request(method, path, text, headers)
    answer = connection.getresponse()
    said = answer.read().decode()
    connection.close()
    return answer.status, json.loads(said) if said.startswith("{") else said, answer.headers


def is_healthy(node):
    """Asks what the image asks, of a node that listens elsewhere."""
    asks = re.search(r"^HEALTHCHECK .*\n\s+(\[.*\])$", (ROOT / "deploy/docker/Dockerfile").read_text(), re.MULTILINE)
    *shell, words = json.loads(asks[1])
    assert "/127.0.0.1/7081 " in words
    words = words.replace("/127.0.0.1/7081 ", f"/127.0.0.1/{admin(node)} ")
    return subprocess.run([*shell, words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


def admin(node):
    return int(node["admin"].rsplit(":", 1)[1])


class Wire:
    """A WebSocket of somebody who is logged in: as much of RFC 6455 as is needed here."""

    def __init__(self, port, token):
        self.stream = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self.rest = b""
        key = base64.b64encode(os.urandom(16)).decode()
        self.stream.sendall(
            f"GET /v1/ws HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Protocol: rookery.v1.json\r\n\r\n".encode()
        )
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.take(1)
        assert head.startswith(b"HTTP/1.1 101 "), head
        self.node = self.event("hello")["node"]
        self.send({"id": 1, "op": "auth", "d": {"token": token}})
        assert "ok" in self.read(), "the token is taken on any node"

    def take(self, count):
        while len(self.rest) < count:
            more = self.stream.recv(65536)
            assert more, "the connection ended"
            self.rest += more
        taken, self.rest = self.rest[:count], self.rest[count:]
        return taken

    def frame(self):
        """Returns the opcode and the payload of the next frame."""
        first, length = self.take(2)
        if length == 126:
            (length,) = struct.unpack(">H", self.take(2))
        return first & 15, self.take(length)

    def read(self):
        """Returns the next text, read as JSON; pings are left to the server's patience."""
        while True:
            opcode, payload = self.frame()
            if opcode == 1:
                return json.loads(payload)
            assert opcode == 9, f"the connection ended: {payload}"

    def event(self, name):
        while True:
            said = self.read()
            if said.get("ev") == name:
                return said["d"]

    def send(self, said):
        payload, mask = json.dumps(said).encode(), os.urandom(4)
        length = bytes([128 | len(payload)]) if len(payload) < 126 else b"\xfe" + struct.pack(">H", len(payload))
        masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))
        self.stream.sendall(b"\x81" + length + mask + masked)


class Cluster:
    """Two nodes, one Cassandra, one Redis, and Caddy as deploy/ has it."""

    def __init__(self, work):
        server = tomllib.loads((ROOT / "deploy/compose/rookery.toml").read_text())["server"]
        self.env = os.environ | {
            "ROOKERY_CLUSTER_DIR": str(work / "cluster"),
            "ROOKERY_SERVER__TRUSTED_PROXIES": "127.0.0.1",
            "ROOKERY_SERVER__DRAIN_DELAY_SECONDS": str(server["drain_delay_seconds"]),
            "ROOKERY_SERVER__DRAIN_GRACE_SECONDS": str(server["drain_grace_seconds"]),
        }
        self.control("down")
        lines = self.control("up", "--nodes", "2").splitlines()
        lines = [line.split() for line in lines if line.startswith("node ")]
        self.nodes = {name: dict(word.split("=", 1) for word in words) for _, name, *words in lines}
        self.port = free_port()
        self.env |= {
            "ROOKERY_SITE": f"http://127.0.0.1:{self.port}",
            "ROOKERY_NODES": " ".join(node["http"] for node in self.nodes.values()),
            "XDG_DATA_HOME": str(work / "caddy"),
            "XDG_CONFIG_HOME": str(work / "caddy"),
        }
        arguments = ["caddy", "run", "--adapter", "caddyfile", "--config", ROOT / "deploy/compose/Caddyfile"]
        self.log = open(work / "caddy.log", "wb")
        self.caddy = subprocess.Popen(arguments, env=self.env, stdout=self.log, stderr=self.log)
        within("Caddy", self.answers)

    def answers(self):
        assert self.caddy.poll() is None, f"Caddy has ended: {self.log.name}"
        try:
            return call(self.port, "GET", "/version")[0] == 200
        except OSError:
            return False

    def control(self, *arguments):
        command = [ROOT / "tests/cluster", *arguments]
        return subprocess.run(command, env=self.env, stdout=subprocess.PIPE, text=True, check=True).stdout

    def end(self):
        self.caddy.terminate()
        self.caddy.wait()
        self.control("down")


def what_is_reached(cluster):
    """The chat is reached; metrics, probes and what operators do are not, by whatever name."""
    port = cluster.port
    login = {"email": "ann@example.org", "password": "correct horse battery"}
    status, said, _ = call(port, "POST", "/v1/auth/register", login | {"handle": "ann", "name": "Ann"})
    assert status == 201, said
    status, said, headers = call(port, "POST", "/v1/auth/login", login)
    assert status == 200 and "Strict-Transport-Security" in headers, said
    token = said["access_token"]
    status, said, _ = call(port, "GET", "/v1/me", token=token)
    assert status == 200, said
    inner = ("/metrics", "/admin/nodes", "/admin/rooms", "/livez", "/readyz", "/healthz")
    for path in (*inner, "/metrics/", "//metrics", "/./admin/nodes", "/readyz?verbose", "/%72eadyz", "/Readyz"):
        status, said, _ = call(port, "GET", path)
        assert status == 404 and "rookery_" not in str(said), f"{path} is reached: {status} {said}"
    status, said, _ = call(port, "POST", "/admin/drain", {})
    assert status == 404, f"a node can be drained from outside: {status} {said}"
    # The admin listeners are there, for those who are inside.
    for node in cluster.nodes.values():
        assert call(admin(node), "GET", "/metrics")[0] == 200 and is_healthy(node)
    return token


def whose_address_counts(cluster):
    """A client's limits are its own address's, whatever it claims to be."""
    wrong = lambda number: {"email": f"nobody{number}@example.org", "password": "wrong horse battery"}

    def log_in(number, source):
        claim = {"X-Forwarded-For": f"198.51.100.{number}", "Forwarded": f"for=198.51.100.{number}"}
        return call(cluster.port, "POST", "/v1/auth/login", wrong(number), source, claim)[0]

    # Twenty at once on each node.
    tries = [log_in(number, "127.0.0.2") for number in range(60)]
    assert 429 in tries and tries[:20] == [401] * 20, tries
    assert log_in(61, "127.0.0.3") == 401, "one client's tries count against another"


def where_clients_go(cluster, token):
    """A node that drains loses nobody: what is asked meanwhile is answered, and its clients come to the other."""
    wires = [Wire(cluster.port, token) for _ in range(SOCKETS)]
    per_node = {name: [wire for wire in wires if wire.node == name] for name in cluster.nodes}
    assert all(len(its) == SOCKETS // 2 for its in per_node.values()), "the fewest connections take the next"

    statuses, is_over = [], threading.Event()

    def ask():
        while not is_over.is_set():
            try:
                statuses.append(call(cluster.port, "GET", "/v1/me", token=token)[0])
            except OSError as error:
                statuses.append(str(error))
            time.sleep(0.02)

    asking = threading.Thread(target=ask)
    asking.start()
    stopping = threading.Thread(target=cluster.control, args=("stop", "n1"))
    stopping.start()
    moved = []
    for wire in per_node["n1"]:
        bye = wire.event("bye")
        assert bye["code"] == 4000, bye
        # At once, although it is asked to wait for a moment.
        moved.append(Wire(cluster.port, token))
    stopping.join()
    assert [wire.node for wire in moved] == ["n2"] * len(moved), "they were sent back to the node that goes"
    for wire in per_node["n2"] + moved:
        wire.send({"id": 2, "op": "ping"})
        while "ok" not in (said := wire.read()):
            assert said.get("ev") != "bye", said
    is_over.set()
    asking.join()
    assert not is_healthy(cluster.nodes["n1"])
    assert set(statuses) == {200}, f"requests failed while a node drained: {statuses}"

    cluster.control("start", "n1")
    within("the node to be used again", lambda: Wire(cluster.port, token).node == "n1")
    print(f"{len(statuses)} requests and {len(moved)} sockets past a node that went and came back")


def main(work):
    cluster = Cluster(work)
    try:
        token = what_is_reached(cluster)
        where_clients_go(cluster, token)
        whose_address_counts(cluster)
    finally:
        cluster.end()


main(Path(sys.argv[1]))
