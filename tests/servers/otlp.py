"""Takes traces as OTLP over HTTP.

POST /v1/traces   as the specification says: protobuf, gzip or not; what is none is answered 400
GET /spans        every span that was taken, as JSON, in the order in which they came
GET /requests     the headers of every request to /v1/traces, taken or not
POST /answer?status=503&times=2&rejected=0   how it answers the next requests
"""

import gzip
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

lock = threading.Lock()
spans = []
requests = []
answers = []


def value(any_value):
    return getattr(any_value, any_value.WhichOneof("value"))


def attributes(pairs):
    return {pair.key: value(pair.value) for pair in pairs}


def read(request):
    """Every span as a plain value, with the resource and the library that it is of."""
    for resource in request.resource_spans:
        for scope in resource.scope_spans:
            for span in scope.spans:
                assert len(span.trace_id) == 16 and len(span.span_id) == 8, "ids have a length"
                assert len(span.parent_span_id) in (0, 8), "so has a parent's"
                assert 0 < span.start_time_unix_nano <= span.end_time_unix_nano, "it ends after its start"
                yield {
                    "trace": span.trace_id.hex(),
                    "span": span.span_id.hex(),
                    "parent": span.parent_span_id.hex(),
                    "name": span.name,
                    "kind": span.kind,
                    "start": span.start_time_unix_nano,
                    "end": span.end_time_unix_nano,
                    "attributes": attributes(span.attributes),
                    "status": span.status.code,
                    "resource": attributes(resource.resource.attributes),
                    "scope": scope.scope.name,
                }


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, content_type, body):
        self.send_response(status)
        self.send_header("content-type", content_type)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        url = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if url.path == "/answer":
            asked = {name: int(number) for name, number in parse_qsl(url.query)}
            with lock:
                answers.extend([asked] * asked.get("times", 1))
            return self.answer(200, "text/plain", b"")
        if url.path != "/v1/traces":
            return self.answer(404, "text/plain", b"")
        with lock:
            requests.append({name.lower(): text for name, text in self.headers.items()})
            asked = answers.pop(0) if answers else {}
        if asked.get("status", 200) != 200:
            return self.answer(asked["status"], "text/plain", b"")
        if self.headers.get("content-type") != "application/x-protobuf":
            return self.answer(415, "text/plain", b"")
        if self.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        try:
            taken = list(read(ExportTraceServiceRequest.FromString(body)))
        except (AssertionError, DecodeError) as error:
            return self.answer(400, "text/plain", str(error).encode())
        rejected = asked.get("rejected", 0)
        with lock:
            spans.extend(taken[rejected:])
        said = ExportTraceServiceResponse()
        if rejected:
            said.partial_success.rejected_spans = rejected
        self.answer(200, "application/x-protobuf", said.SerializeToString())

    def do_GET(self):
        with lock:
            told = json.dumps({"/spans": spans, "/requests": requests}.get(self.path)).encode()
        self.answer(200, "application/json", told)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
server.daemon_threads = True
threading.Thread(target=server.serve_forever, daemon=True).start()
print(f"ADDR=127.0.0.1:{server.server_port}", flush=True)
sys.stdin.read()
