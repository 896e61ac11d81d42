"""What people of a test do all the time: talk, mark, watch, search, send files, drop and come back."""

import asyncio
import random
import uuid

from people import WORDS, Person, ask, png

# Of everybody at one place, each second. What is said goes to all who are in the room.
MESSAGES = 60
ROOMS = 6
GONE = (OSError, asyncio.IncompleteReadError, asyncio.CancelledError, TimeoutError)


class Crowd:
    """Everybody at one place: one server, or several that are one."""

    def __init__(self, servers, count):
        self.servers = servers
        self.people = [Person(servers, number) for number in range(count)]
        self.rooms = []

    async def gather(self):
        """Everybody comes in; the first has made rooms, and everybody is in some of them."""
        await asyncio.gather(*(person.arrive() for person in self.people))
        first = self.people[0]
        for number in range(ROOMS):
            others = [person.id for person in self.people[1:] if (person.number + number) % 3]
            new = {"client_id": str(uuid.uuid4()), "kind": "group", "title": f"Rook {number}", "members": others}
            status, _, room = await first.ask("POST", "/v1/rooms", new)
            assert status in (200, 201), room
            self.rooms.append(room["id"])
            for person in self.people:
                if person is first or person.id in others:
                    person.rooms.append(room["id"])
        for person in self.people:
            person.watched = [other.id for other in self.people[:20]]
        await asyncio.gather(*(person.connect() for person in self.people))

    def begin(self):
        """Begins everything that is done all the time, and returns the tasks."""
        people = self.people
        doings = [
            every(people, MESSAGES, self.talk),
            every(people, 8, self.mark),
            every(people, 6, self.react),
            every(people, 4, self.type),
            every(people, 2, self.search),
            every(people, 6, self.poll),
            every(people, 1, self.show),
            every(people, 1, self.drop),
            every(people, 1, self.look_away),
            every(people, 1, self.mistake),
            every(people, 1, self.say_how_it_is),
            every(people, 0.5, self.log_in_wrongly),
            every(people, 0.5, self.pass_through),
        ]
        return [asyncio.create_task(one) for one in [*doings, *(self.stream(person) for person in people[:3])]]

    async def talk(self, person):
        await person.say(random.choice(person.rooms))

    async def mark(self, person):
        room = random.choice(person.rooms)
        if seq := person.positions.get(room):
            await person.socket.call("read.mark", room=room, seq=seq)

    async def react(self, person):
        room = random.choice(person.rooms)
        if seq := person.positions.get(room):
            about = {"room": room, "target": seq, "emoji": "🍵", "client_id": str(uuid.uuid4()), "on": True}
            await person.socket.call("reaction.set", **about)

    async def say_how_it_is(self, person):
        await person.socket.call("presence.set", state=random.choice(["online", "away"]), status=random.choice(WORDS))

    async def type(self, person):
        await person.socket.call("typing.set", room=random.choice(person.rooms), on=True)

    async def search(self, person):
        await person.socket.call("message.search", query=random.choice(person.text().split()), limit=10)

    async def poll(self, person):
        """Asks for a page twice, and the second time says what it has."""
        path = f"/v1/rooms/{random.choice(person.rooms)}/messages?limit=20"
        tag = person.tags.get(path, '""')
        _, fields, _ = await person.ask("GET", path, If_None_Match=tag)
        person.tags[path] = fields.get("etag", tag)
        await person.ask("GET", path, If_None_Match=person.tags[path])

    async def show(self, person):
        """Sends a picture, says it, fetches it and its small one, and takes it back."""
        picture = png(random.choice([16, 64, 160]))
        status, _, new = await person.ask("POST", "/v1/uploads", {"name": "rook.png", "size": len(picture)})
        if status != 201:
            return
        status, _, attachment = await person.ask("PUT", new["upload_url"], picture)
        if status != 200:
            return
        body = {"kind": "image", "attachments": [attachment]}
        said = {"room": random.choice(person.rooms), "client_id": str(uuid.uuid4()), "body": body}
        reply = await person.socket.call("message.send", **said)
        await person.ask("GET", f"/v1/files/{attachment['id']}")
        await person.ask("GET", f"/v1/files/{attachment['id']}/thumb")
        if seq := reply.get("ok", {}).get("seq"):
            about = {"room": said["room"], "target": seq, "client_id": str(uuid.uuid4())}
            await person.socket.call("message.delete", **about)

    async def drop(self, person):
        """Loses its connection, and comes back to where it was."""
        socket, person.socket = person.socket, None
        socket.close(cleanly=random.random() < 0.5)
        person.server = random.choice(self.servers)
        await person.back()

    async def look_away(self, person):
        """Closes a room and opens it again, now and then from the very beginning."""
        room = random.choice(person.rooms)
        await person.socket.call("room.close", room=room)
        after = 0 if random.random() < 0.2 else person.positions.get(room, 0)
        await person.socket.call("room.open", room=room, after=after)

    async def mistake(self, person):
        """Asks for what is not there, and says the same thing twice."""
        await person.socket.call("room.open", room=str(uuid.uuid4()), after=0)
        said = {"room": person.rooms[0], "client_id": str(uuid.uuid4()), "body": {"kind": "text", "text": "twice"}}
        await person.socket.call("message.send", **said)
        await person.socket.call("message.send", **said, attempt=2)

    async def log_in_wrongly(self, person):
        wrong = person.account | {"password": "wrong horse battery"}
        await ask(person.server, "POST", "/v1/auth/login", wrong)
        await person.log_in()

    async def pass_through(self, person):
        """Asks what somebody without an account may ask, and what nobody has; and goes on with another token."""
        await ask(person.server, "GET", "/livez")
        await person.ask("GET", f"/v1/rooms/{uuid.uuid4()}")
        await person.refresh()

    async def stream(self, person):
        """Hears an event stream for as long as it lasts, and then another."""
        rooms = ",".join(person.rooms[:2])
        while True:
            try:
                reader, writer = await asyncio.open_connection(*person.server)
                writer.write(
                    f"GET /v1/events?rooms={rooms} HTTP/1.1\r\nHost: rookery\r\n"
                    f"Authorization: Bearer {person.token}\r\n\r\n".encode()
                )
                while await reader.read(65536):
                    pass
            except OSError:
                pass
            person.server = random.choice(self.servers)
            await asyncio.sleep(0.5)


async def every(people, per_second, does):
    """Has somebody do it so many times a second, whether those before are done or not."""
    under_way, clock = set(), asyncio.get_running_loop().time
    due = clock()
    while True:
        # What is late is made up for, but for what is older than a second.
        due = max(due + random.expovariate(per_second), clock() - 1)
        await asyncio.sleep(max(0, due - clock()))
        here = [one for one in people if one.socket and one.socket.is_open and not one.is_quiet]
        gone = [person for person in people if person.socket and not person.socket.is_open]
        for person in gone:
            person.socket = None
            under_way.add(asyncio.create_task(person.back()))
        if here and len(under_way) < 100:
            under_way.add(asyncio.create_task(tried(does, random.choice(here))))
        under_way = {task for task in under_way if not task.done()}


async def tried(does, person):
    """Does it; a connection that ends meanwhile is nobody's fault here."""
    try:
        await does(person)
    except GONE as gone:
        if isinstance(gone, asyncio.CancelledError) and asyncio.current_task().cancelling():
            raise
    except AttributeError:
        # It has just lost its socket.
        if person.socket is not None:
            raise
