#!/usr/bin/env -S python3 -B
"""A receiver of webhooks that believes nothing: it verifies signatures and CloudEvents by itself and writes down what came.

It prints `{"port": N}` once it listens, and writes each request to the log as one JSON line:

    {"method", "path", "id", "timestamp", "content_type", "verified": [numbers of the secrets that signed it],
     "problems": ["what is wrong with it"], "event": {...}, "sha256": "of the body", "headers": {...},
     "client": "CN of its certificate", "status"}

A control file, read again when it changes, says how it answers:

    {"statuses": [503, 200]}   of the next requests; the last one for all others (default 200)
    {"retry_after": "7"}       header of every answer but 2xx
    {"location": "/there"}     header of every answer 3xx
    {"body": "words"}          of the answer
    {"echo": true}             the body repeats the header of the request, secrets and all
    {"delay": 2.5}             seconds before the answer
"""

import argparse
import base64
import hashlib
import hmac
import http.server
import json
import os
import socketserver
import ssl
import sys
import threading
import time

REQUIRED = ("specversion", "id", "source", "type")


def key_of(secret: str) -> bytes:
    return base64.b64decode(secret[6:] if secret.startswith("whsec_") else secret, validate=True)


def signature(key: bytes, message_id: str, timestamp: str, body: bytes) -> str:
    """Of Standard Webhooks: HMAC-SHA256 over "id.timestamp.body"."""
    signed = message_id.encode() + b"." + timestamp.encode() + b"." + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def verified_by(keys: list, headers, body: bytes) -> list:
    given = (headers.get("webhook-signature") or "").split(" ")
    found = []
    for number, key in enumerate(keys, 1):
        wanted = signature(key, headers.get("webhook-id") or "", headers.get("webhook-timestamp") or "", body)
        if any(hmac.compare_digest(wanted, one) for one in given):
            found.append(number)
    return found


def problems_of(headers, body: bytes, tolerance: int) -> tuple:
    """(problems, event) of one request."""
    problems = []
    event = None
    if headers.get("Content-Type") != "application/cloudevents+json; charset=utf-8":
        problems.append("content type")
    try:
        if abs(time.time() - int(headers.get("webhook-timestamp") or "")) > tolerance:
            problems.append("timestamp too far away")
    except ValueError:
        problems.append("timestamp")
    try:
        event = json.loads(body.decode())
        if b"\n" in body:
            problems.append("more than one line")
        problems += [f"no {name}" for name in REQUIRED if not isinstance(event.get(name), str) or not event[name]]
        if event.get("id") != headers.get("webhook-id"):
            problems.append("webhook-id is not the id of the event")
    except (ValueError, AttributeError):
        problems.append("not a JSON object")
    return problems, event


class Script:
    """What the control file says, and how far we are in it."""

    def __init__(self, path):
        self.path = path
        self.lock = threading.Lock()
        self.text = None
        self.values: dict = {}
        self.count = 0

    def next(self) -> tuple:
        """(values, status) for one more request."""
        with self.lock:
            try:
                with open(self.path, encoding="utf-8") as text:
                    now = text.read()
            except (OSError, TypeError):
                now = "{}"
            if now != self.text:
                self.text, self.values, self.count = now, json.loads(now), 0
            statuses = self.values.get("statuses") or [200]
            status = statuses[min(self.count, len(statuses) - 1)]
            self.count += 1
            return self.values, status


class Server(socketserver.ThreadingTCPServer):
    """Not http.server's own class: that one looks up the name of the address when it starts."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, args):
        super().__init__((args.listen, args.port), Handler)
        self.args = args
        self.keys = [key_of(secret) for secret in args.secret]
        self.script = Script(args.control)
        # pylint: disable-next=consider-using-with
        self.log_file = open(args.log, "a", encoding="utf-8") if args.log else None
        self.log_lock = threading.Lock()
        if args.tls_cert:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(args.tls_cert, args.tls_key)
            if args.client_ca:
                context.verify_mode = ssl.CERT_REQUIRED
                context.load_verify_locations(args.client_ca)
            # The handshake belongs to the thread of the connection, not to the one that accepts.
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def note(self, **members) -> None:
        if self.log_file:
            with self.log_lock:
                self.log_file.write(json.dumps({"time": time.time(), **members}) + "\n")
                self.log_file.flush()

    def handle_error(self, request, client_address):
        """A handshake that fails, or a client that goes away: the client's tests see to that."""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60
    # Headers and body go out in two writes; without this the second waits for the client's acknowledgement.
    disable_nagle_algorithm = True

    def log_message(self, *args):
        """The JSON log has it already."""

    def client_name(self):
        certificate = self.connection.getpeercert() if isinstance(self.connection, ssl.SSLSocket) else None
        names = [pair for part in (certificate or {}).get("subject", ()) for pair in part]
        return dict(names).get("commonName")

    def answer(self, values: dict, status: int) -> None:
        # Of an answer the first line is looked at.
        text = str(self.headers).replace("\n", " ") if values.get("echo") else str(values.get("body", ""))
        body = b"" if status == 204 else text.encode()
        self.send_response(status)
        if "retry_after" in values and status // 100 != 2:
            self.send_header("Retry-After", values["retry_after"])
        if "location" in values and status // 100 == 3:
            self.send_header("Location", values["location"])
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        values, status = self.server.script.next()
        problems, event = problems_of(self.headers, body, self.server.args.tolerance)
        self.server.note(
            method=self.command,
            path=self.path,
            id=self.headers.get("webhook-id"),
            timestamp=self.headers.get("webhook-timestamp"),
            content_type=self.headers.get("Content-Type"),
            verified=verified_by(self.server.keys, self.headers, body),
            problems=problems,
            event=event,
            sha256=hashlib.sha256(body).hexdigest(),
            headers=dict(self.headers.items()),
            client=self.client_name(),
            status=status,
        )
        time.sleep(values.get("delay", 0))
        self.answer(values, status)

    def do_GET(self):
        """Nobody follows a redirect to here: it would be seen."""
        self.server.note(method=self.command, path=self.path, verified=[], problems=["not a POST"], status=405)
        self.answer({}, 405)


def parse_args(argv):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--listen", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--secret", action="append", default=[], metavar="whsec_BASE64", help="verifies signatures")
    parser.add_argument("--tolerance", type=int, default=300, metavar="S", help="of the timestamp")
    parser.add_argument("--control", metavar="FILE")
    parser.add_argument("--log", metavar="FILE")
    parser.add_argument("--tls-cert", metavar="FILE")
    parser.add_argument("--tls-key", metavar="FILE")
    parser.add_argument("--client-ca", metavar="FILE", help="clients need a certificate of it")
    return parser.parse_args(argv)


def main(argv) -> int:
    server = Server(parse_args(argv))
    print(json.dumps({"port": server.server_address[1]}), flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        os._exit(0)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
