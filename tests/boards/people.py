"""People of a test: they talk over WebSockets, read over HTTP, come and go. Nothing but the standard library.

They are there to make a server do all that it counts; what it owes them is checked elsewhere.
"""

import asyncio
import base64
import json
import os
import random
import struct
import uuid
import zlib

WORDS = "rook tower wall nest flock dusk elm field crow black wing tea kettle letter river".split()
PATIENCE = 20


def png(side):
    """Returns a picture of so many pixels each way."""
    chunk = lambda kind, data: (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    )
    rows = b"".join(b"\0" + random.randbytes(3 * side) for _ in range(side))
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


async def ask(server, method, path, body=None, token=None, **headers):
    """Returns status, headers and body of one request, on a connection of its own."""
    reader, writer = await asyncio.wait_for(asyncio.open_connection(*server), PATIENCE)
    try:
        lines = [f"{method} {path} HTTP/1.1", "Host: rookery", "Connection: close"]
        if token:
            lines.append(f"Authorization: Bearer {token}")
        if body is not None and not isinstance(body, bytes):
            body, headers = json.dumps(body).encode(), headers | {"Content_Type": "application/json"}
        if body is not None:
            lines.append(f"Content-Length: {len(body)}")
        lines += [f"{name.replace('_', '-')}: {text}" for name, text in headers.items()]
        writer.write("\r\n".join([*lines, "", ""]).encode() + (body or b""))
        answer = await asyncio.wait_for(reader.read(), PATIENCE)
    finally:
        writer.close()
    head, _, rest = answer.partition(b"\r\n\r\n")
    status, *fields = head.decode().split("\r\n")
    if not status:
        raise ConnectionError("no answer")
    fields = {name.lower(): text for name, _, text in (field.partition(": ") for field in fields)}
    is_json = fields.get("content-type", "").endswith("json")
    return int(status.split()[1]), fields, json.loads(rest) if is_json and rest else rest


# What is heard of all sockets: a task that nobody holds may be thrown away while it waits.
HEARING = set()


class Socket:
    """A WebSocket of somebody who is logged in, with as much of RFC 6455 as is needed here."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer
        self.waiting, self.last = {}, 0
        self.positions = {}
        self.hearing = None

    @classmethod
    async def open(cls, server, token):
        reader, writer = await asyncio.wait_for(asyncio.open_connection(*server), PATIENCE)
        key = base64.b64encode(os.urandom(16)).decode()
        writer.write(
            f"GET /v1/ws HTTP/1.1\r\nHost: rookery\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Protocol: rookery.v1.json\r\n\r\n".encode()
        )
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)
        if not head.startswith(b"HTTP/1.1 101 "):
            raise ConnectionError(head.decode().splitlines()[0])
        socket = cls(reader, writer)
        socket.hearing = asyncio.create_task(socket.hear())
        HEARING.add(socket.hearing)
        socket.hearing.add_done_callback(HEARING.discard)
        try:
            await socket.call("auth", token=token)
        except BaseException:
            socket.close(cleanly=False)
            raise
        return socket

    def write(self, opcode, payload):
        mask = os.urandom(4)
        length = bytes([128 | len(payload)]) if len(payload) < 126 else b"\xfe" + struct.pack(">H", len(payload))
        width = len(payload)
        key = int.from_bytes((mask * (width // 4 + 1))[:width], "big")
        masked = (int.from_bytes(payload, "big") ^ key).to_bytes(width, "big")
        self.writer.write(bytes([128 | opcode]) + length + mask + masked)

    async def call(self, op, **d):
        """Returns the reply, whether it is good or not."""
        self.last += 1
        reply = self.waiting[self.last] = asyncio.get_running_loop().create_future()
        self.write(1, json.dumps({"id": self.last, "op": op, "d": d}).encode())
        return await asyncio.wait_for(reply, PATIENCE)

    async def hear(self):
        try:
            while True:
                first, length = await self.reader.readexactly(2)
                if length == 126:
                    (length,) = struct.unpack(">H", await self.reader.readexactly(2))
                elif length == 127:
                    (length,) = struct.unpack(">Q", await self.reader.readexactly(8))
                payload = await self.reader.readexactly(length)
                if first & 15 == 9:
                    self.write(10, payload)
                elif first & 15 == 1:
                    self.take(json.loads(payload))
                elif first & 15 == 8:
                    return
        except (OSError, asyncio.IncompleteReadError):
            return
        finally:
            for reply in self.waiting.values():
                if not reply.done():
                    reply.cancel()
            self.writer.close()

    def take(self, frame):
        if "id" in frame:
            reply = self.waiting.pop(frame["id"], None)
            if reply and not reply.done():
                reply.set_result(frame)
        elif frame.get("ev") == "room.event":
            self.positions[frame["d"]["room"]] = frame["d"]["seq"]

    @property
    def is_open(self):
        return not self.hearing.done()

    def close(self, cleanly):
        if cleanly:
            self.write(8, struct.pack(">H", 1000))
        self.hearing.cancel()
        self.writer.close()


class Person:
    """Somebody with an account, who comes to one of several servers."""

    def __init__(self, servers, number):
        self.servers, self.number = servers, number
        self.server = servers[number % len(servers)]
        # Somebody who only listens, and so is asked by the server whether it is still there.
        self.is_quiet = number % 9 == 8
        self.name = f"p{number}{uuid.uuid4().hex[:8]}"
        self.account = {"email": f"{self.name}@example.org", "password": "correct horse battery"}
        self.token = self.fresh = self.id = self.socket = None
        self.rooms, self.watched, self.positions, self.tags = [], [], {}, {}

    async def ask(self, method, path, body=None, **headers):
        return await ask(self.server, method, path, body, self.token, **headers)

    async def arrive(self):
        """Registers and logs in."""
        about = self.account | {"handle": self.name, "name": self.name.title()}
        status, _, said = await ask(self.server, "POST", "/v1/auth/register", about)
        assert status == 201, said
        await self.log_in()

    async def log_in(self):
        status, _, said = await ask(self.server, "POST", "/v1/auth/login", self.account)
        assert status == 200, said
        self.token, self.fresh, self.id = said["access_token"], said["refresh_token"], said["user"]["id"]

    async def refresh(self):
        spent, self.fresh = self.fresh, None
        if spent is None:
            return
        status, _, said = await ask(self.server, "POST", "/v1/auth/refresh", {"refresh_token": spent})
        if status == 200:
            self.token, self.fresh = said["access_token"], said["refresh_token"]

    async def connect(self):
        """Comes in, wherever that is possible, and opens its rooms where it was."""
        socket = await Socket.open(self.server, self.token)
        socket.positions = self.positions
        try:
            for room in self.rooms:
                after = self.positions.get(room, 0)
                reply = await socket.call("room.open", room=room, after=after)
                if "ok" in reply:
                    self.positions[room] = max(after, reply["ok"]["from"] - 1)
            await socket.call("presence.watch", users=self.watched)
        except BaseException:
            socket.close(cleanly=False)
            raise
        self.socket = socket

    async def back(self):
        """Comes in again, to another server where its own is away."""
        while True:
            try:
                return await self.connect()
            except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError, TimeoutError) as error:
                if isinstance(error, asyncio.CancelledError) and asyncio.current_task().cancelling():
                    raise
                self.server = random.choice(self.servers)
                await asyncio.sleep(random.random())

    def text(self):
        return " ".join(random.choices(WORDS, k=random.randint(3, 24)))

    async def say(self, room):
        body = {"kind": "text", "text": self.text()}
        if random.random() < 0.05:
            body["mentions"] = [random.choice(self.watched)]
        return await self.socket.call("message.send", room=room, client_id=str(uuid.uuid4()), body=body)
