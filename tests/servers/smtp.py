"""Takes mails over SMTP.

GET /messages                     every mail that was taken, as JSON, in the order in which they came
GET /answers                      how it will answer the next mails, as JSON
POST /answer?status=451&times=2   how it answers the next mails

With tls or starttls and a certificate it takes no mail in the clear, and none from whoever has not proved to be
`rookery` with the password `a secret`.
"""

import asyncio
import email
import json
import ssl
import sys
import threading
from email import policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from aiosmtpd.smtp import SMTP, AuthResult

lock = threading.Lock()
messages = []
answers = []


class Sink:
    async def handle_DATA(self, server, session, envelope):
        with lock:
            if answers:
                return f"{answers.pop(0)} not now, {envelope.rcpt_tos[0]}"
            mail = email.message_from_bytes(envelope.content, policy=policy.default)
            messages.append({
                "to": envelope.rcpt_tos,
                "from": str(mail["from"]),
                "subject": mail["subject"],
                "id": mail["message-id"],
                "headers": sorted(name.lower() for name in mail.keys()),
                "text": mail.get_content(),
                "encrypted": server.transport.get_extra_info("sslcontext") is not None,
            })
            return "250 OK"


class Asked(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, value):
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        with lock:
            self.answer(answers if self.path == "/answers" else messages)

    def do_POST(self):
        self.rfile.read(int(self.headers.get("content-length", 0)))
        query = dict(parse_qsl(urlsplit(self.path).query))
        with lock:
            answers[:] = [query["status"]] * int(query["times"])
        self.answer({})

    def log_message(self, *_):
        pass


def proved(server, session, envelope, mechanism, login):
    return AuthResult(success=(login.login, login.password) == (b"rookery", b"a secret"))


options = {}
implicit = None
if len(sys.argv) > 1:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(sys.argv[2], sys.argv[3])
    options = {"authenticator": proved, "auth_required": True}
    if sys.argv[1] == "tls":
        implicit = context
        options["auth_require_tls"] = False
    else:
        options |= {"tls_context": context, "require_starttls": True}

loop = asyncio.new_event_loop()
serving = loop.create_server(lambda: SMTP(Sink(), loop=loop, **options), "127.0.0.1", 0, ssl=implicit)
port = loop.run_until_complete(serving).sockets[0].getsockname()[1]
threading.Thread(target=loop.run_forever, daemon=True).start()
asked = ThreadingHTTPServer(("127.0.0.1", 0), Asked)
threading.Thread(target=asked.serve_forever, daemon=True).start()
print(f"SMTP=127.0.0.1:{port}", flush=True)
print(f"ADDR=127.0.0.1:{asked.server_port}", flush=True)
sys.stdin.read()
