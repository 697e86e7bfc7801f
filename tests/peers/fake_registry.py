#!/usr/bin/env -S python3 -B
"""A registry that answers what a script says, for the faults that a real one does not show on demand.

It prints `{"port": N}` once it listens. The script (its language: fake_script.py) is read again, and starts again,
whenever the file was replaced. The log has one JSON object per line:

    {"event": "open", "connection": 1, "open": 1}                      open: connections that are open now
    {"event": "request", "connection": 1, "method", "path", "query", "scheme", "host", "authorization", "accept",
     "user_agent", "line", "status", "in_flight"}                      line: of the script that answers; 0 for none
    {"event": "tls-error", "connection": 2, "text": "..."}
    {"event": "plain-on-tls", "connection": 2}
    {"event": "close", "connection": 1, "open": 0}

Without one it answers a TLS handshake with 400, as servers of plain HTTP do, or not at all with --patient.
With a certificate it speaks TLS; with --both also plain HTTP on the same port, to show who falls back to it.
"""

import argparse
import email.utils
import itertools
import json
import os
import select
import signal
import socket
import ssl
import struct
import sys
import threading
import time
import warnings
from typing import Optional

import craft
import fake_script
from fake_script import Request, Step

MAX_HEAD_BYTES = 256 * 1024
CHUNK_BYTES = 64 * 1024
REASONS = {200: "OK", 301: "Moved Permanently", 302: "Found", 307: "Temporary Redirect", 401: "Unauthorized"}
HTML = b"<!DOCTYPE html><html><body><h1>Something went wrong</h1></body></html>\n"
WRONG_DIGEST = "sha256:" + "0123456789abcdef" * 4


class Hangup(Exception):
    """The connection ends here."""


class Log:
    """JSON lines, flushed at once, because a test reads them while we run."""

    def __init__(self, path: Optional[str]):
        # pylint: disable-next=consider-using-with
        self.file = open(path, "a", encoding="utf-8") if path else None
        self.lock = threading.Lock()

    def note(self, event: str, **members) -> None:
        if self.file:
            with self.lock:
                self.file.write(json.dumps({"event": event, "time": time.time(), **members}) + "\n")
                self.file.flush()


class Script:
    """The rules of a file that a test may replace at any time."""

    def __init__(self, path: Optional[str]):
        self.path = path
        self.stamp: Optional[tuple] = None
        self.rules: list = []
        self.lock = threading.Lock()

    def reload(self) -> None:
        if not self.path:
            return
        try:
            found = os.stat(self.path)
        except FileNotFoundError:
            return
        stamp = (found.st_ino, found.st_mtime_ns, found.st_size)
        if stamp != self.stamp:
            with open(self.path, encoding="utf-8") as text:
                self.rules = fake_script.parse(text.read())
            self.stamp = stamp

    def choose(self, request: Request) -> Step:
        with self.lock:
            self.reload()
            step = fake_script.choose(self.rules, request)
        if step:
            return step
        if request.path == "/v2/":
            return Step(0, 200, {"body": "{}"})
        return Step(0, 404, {"code": "NAME_UNKNOWN", "message": "the script has no answer for this"})


class Counter:
    """How many of something there are now."""

    def __init__(self):
        self.value = 0
        self.lock = threading.Lock()

    def add(self, amount: int) -> int:
        with self.lock:
            self.value += amount
            return self.value


class Quota:
    """What was answered in the last window, where the script grants only so much."""

    def __init__(self):
        self.times: list = []
        self.lock = threading.Lock()

    def charge(self, step: Step, request: Request) -> Step:
        """The step with what is left in its headers, or a 429."""
        if not step.get("quota"):
            return step
        limit, window = (int(part) for part in step.get("quota").split("/"))
        is_free = request.method == "HEAD" and step.get("quota-head") == "free"
        with self.lock:
            now = time.monotonic()
            self.times = [then for then in self.times if then + window > now]
            is_dry = len(self.times) >= limit and not is_free
            if not is_dry and not is_free:
                self.times.append(now)
            left = limit - len(self.times)
            reset = int(self.times[0] + window - now) if self.times else 0
        said = quota_headers(step.get("quota-form", "hub"), limit, window, left, reset)
        options = {**step.options, "header": step.get("header", []) + said}
        if is_dry:
            return Step(step.line, 429, {"header": said, "code": "TOOMANYREQUESTS", "message": "the limit is reached"})
        return Step(step.line, step.status, options)


def quota_headers(form: str, limit: int, window: int, left: int, reset: int) -> list:
    date = int(time.time()) + reset
    return {
        "hub": [f"ratelimit-limit: {limit};w={window}", f"ratelimit-remaining: {left};w={window}"],
        "draft03": [
            f"RateLimit-Limit: {limit}, {limit};w={window}",
            f"RateLimit-Remaining: {left}",
            f"RateLimit-Reset: {reset}",
        ],
        "draft07": [
            f"RateLimit-Policy: {limit};w={window}",
            f"RateLimit: limit={limit}, remaining={left}, reset={reset}",
        ],
        "draft08": [f'RateLimit-Policy: "default";q={limit};w={window}', f'RateLimit: "default";r={left};t={reset}'],
        "x": [
            f"X-RateLimit-Limit: {limit}",
            f"X-RateLimit-Remaining: {left}",
            f"X-RateLimit-Reset: {date}",
        ],
    }[form]


def retry_after(text: str) -> str:
    if text.startswith("date+"):
        return email.utils.formatdate(time.time() + float(text[5:]), usegmt=True)
    return text


def crafted(step: Step, seed: str) -> craft.Image:
    recipe = craft.Recipe(
        seed=seed,
        kind=step.get("kind", "oci"),
        platforms=step.get("platform", "linux/amd64").split(","),
        config_seed=step.get("config-seed", ""),
        attest_seed=step.get("attest", ""),
    )
    return craft.craft(recipe)


def found_by_digest(step: Step, path: str) -> Optional[craft.Blob]:
    """What a path ends in the digest of, if one of the step's images has it."""
    wanted = path.rsplit("/", 1)[-1]
    for seed in step.get("by-digest").split(","):
        image = crafted(step, seed)
        for blob in image.manifests + image.blobs:
            if blob.digest == wanted:
                return blob
    return None


def for_request(step: Step, request: Request) -> Step:
    """The step itself, or a 404 where it has nothing with the digest that is asked for."""
    if step.get("by-digest") is None or found_by_digest(step, request.path):
        return step
    kind = "BLOB" if "/blobs/" in request.path else "MANIFEST"
    return Step(step.line, 404, {"code": f"{kind}_UNKNOWN", "message": "the script has no image with it"})


def blob_of(step: Step, request: Request) -> Optional[craft.Blob]:
    """The part of a crafted image that a step describes; None when it describes something else."""
    if step.get("by-digest") is not None:
        return found_by_digest(step, request.path)
    return crafted(step, step.get("manifest")).top if step.get("manifest") is not None else None


def body_of(step: Step, request: Request, fill) -> tuple:
    """(media type, bytes, digest or None) that a step describes; fill puts in the names of this server."""
    blob = blob_of(step, request)
    if blob:
        return blob.media_type, blob.data, blob.digest
    if step.get("code"):
        error = {"code": step.get("code"), "message": fill(step.get("message", "as the script says"))}
        return "application/json", craft.to_json({"errors": [error]}), None
    answer = {name: step.get(name) for name in ("token", "access_token") if step.get(name) is not None}
    if answer:
        if step.get("expires_in") is not None:
            answer["expires_in"] = int(step.get("expires_in"))
        return "application/json", craft.to_json(answer), None
    if step.get("file"):
        with open(step.get("file"), "rb") as data:
            return "application/octet-stream", data.read(), None
    if step.get("size"):
        return "application/json", b" " * int(step.get("size")), None
    if step.get("html"):
        return "text/html; charset=utf-8", HTML, None
    return "application/json", fill(step.get("body", "")).encode(), None


def headers_of(step: Step, request: Request, fill) -> tuple:
    """([(name, value)], body) of the answer to one request."""
    media_type, body, digest = body_of(step, request, fill)
    found = [("Content-Type", step.get("type", media_type))]
    wanted = {"none": None, "wrong": WRONG_DIGEST}.get(step.get("digest"), step.get("digest", digest))
    if wanted is not None:
        found.append(("Docker-Content-Digest", fill(wanted)))
    if step.get("bearer"):
        realm = "{base}/token" if step.get("bearer") is True else step.get("bearer")
        scope = f'service="fake",scope="repository:{request.repository}:pull"'
        found.append(("WWW-Authenticate", f'Bearer realm="{fill(realm)}",{scope}'))
    if step.get("basic"):
        found.append(("WWW-Authenticate", 'Basic realm="fake"'))
    found += [("WWW-Authenticate", fill(text)) for text in step.get("challenge", [])]
    if step.get("location"):
        found.append(("Location", fill(step.get("location"))))
    if step.get("retry-after"):
        found.append(("Retry-After", retry_after(step.get("retry-after"))))
    if step.get("chunked"):
        found.append(("Transfer-Encoding", "chunked"))
    elif step.get("length") != "none":
        found.append(("Content-Length", step.get("length", str(len(body)))))
    if step.get("keep") == "no" or step.get("length") == "none":
        found.append(("Connection", "close"))
    return with_own_headers(found, step, fill), body


def with_own_headers(found: list, step: Step, fill) -> list:
    own = [text.partition(":")[::2] for text in step.get("header", [])]
    names = {name.strip().lower() for name, _ in own}
    kept = [pair for pair in found if pair[0].lower() not in names]
    return kept + [(name.strip(), fill(value.strip())) for name, value in own]


class Connection:
    """One client: reads its requests and plays the answers."""

    def __init__(self, server: "Server", sock: socket.socket, number: int):
        self.server = server
        self.sock = sock
        self.number = number
        self.scheme = "http"
        self.pending = b""

    def secure(self) -> None:
        """TLS, when the client starts with a handshake (22 is that record's type) and we have a certificate."""
        first = self.sock.recv(1, socket.MSG_PEEK)
        if not self.server.context:
            if first == b"\x16" and not self.server.args.patient:
                self.refuse_tls()
        elif first == b"\x16":
            self.sock = self.server.context.wrap_socket(self.sock, server_side=True)
            self.scheme = "https"
        elif not self.server.args.both:
            self.refuse_plain()

    def refuse_tls(self) -> None:
        """What servers of plain HTTP say to a handshake; a --patient one waits for the end of its head instead."""
        self.receive()
        self.sock.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        raise Hangup

    def refuse_plain(self) -> None:
        """What a Go server says to plain HTTP on its TLS port."""
        self.receive()
        self.server.log.note("plain-on-tls", connection=self.number)
        self.sock.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n")
        raise Hangup

    def receive(self) -> bytes:
        data = self.sock.recv(CHUNK_BYTES)
        if not data:
            raise Hangup
        return data

    def read_request(self) -> tuple:
        """(Request, version, headers) of the next request; its body is read and dropped."""
        while b"\r\n\r\n" not in self.pending:
            if len(self.pending) > MAX_HEAD_BYTES:
                raise Hangup
            self.pending += self.receive()
        head, _, self.pending = self.pending.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        method, target, version = (lines[0].split(" ") + ["", ""])[:3]
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        self.skip_body(int(headers.get("content-length", 0)))
        path, _, query = target.partition("?")
        return Request(method, path, query, headers.get("authorization")), version, headers

    def skip_body(self, length: int) -> None:
        while len(self.pending) < length:
            self.pending += self.receive()
        self.pending = self.pending[length:]

    def pause(self, seconds: float) -> None:
        """Waits, but not for longer than the client does."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if select.select([self.sock], [], [], left)[0]:
                self.pending += self.receive()

    def hang(self) -> None:
        """Silence until the client goes."""
        while True:
            self.receive()

    def fill(self, request: Request):
        """A function that puts the names of this server into a text."""
        host = f"{self.server.args.listen}:{self.server.port}"
        names = {
            "{base}": f"{self.scheme}://{host}",
            "{host}": host,
            "{port}": str(self.server.port),
            "{repository}": request.repository,
        }

        def filled(text: str) -> str:
            for name, value in names.items():
                text = text.replace(name, value)
            return text

        return filled

    def reset(self) -> None:
        """Ends the connection with a reset instead of a proper end."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise Hangup

    def send_head(self, step: Step, headers: list) -> None:
        lines = [f"HTTP/1.1 {step.status} {REASONS.get(step.status, 'Status')}"]
        lines += [f"{name}: {value}" for name, value in headers]
        data = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        if step.get("cut-head"):
            self.sock.sendall(data[: len(data) // 2])
            raise Hangup
        if not step.get("drip-head"):
            self.sock.sendall(data)
            return
        for line in data.splitlines(keepends=True):
            self.sock.sendall(line)
            self.pause(step.number("drip-head"))

    def send_body(self, step: Step, body: bytes) -> None:
        limit = int(step.number("cut", step.number("stall", len(body))))
        rate = step.number("drip")
        size = max(1, int(rate / 10)) if rate else CHUNK_BYTES
        for start in range(0, min(limit, len(body)), size):
            piece = body[start : min(start + size, limit)]
            if step.get("chunked"):
                piece = f"{len(piece):x}\r\n".encode() + piece + b"\r\n"
            self.sock.sendall(piece)
            if rate:
                self.pause(size / rate)
        if step.get("cut") is not None:
            raise Hangup
        if step.get("stall") is not None:
            self.hang()
        if step.get("chunked"):
            self.sock.sendall(b"0\r\n\r\n")

    def play(self, step: Step, request: Request) -> None:
        self.pause(step.number("delay"))
        if step.get("hang"):
            self.hang()
        if step.get("reset"):
            self.reset()
        if step.get("close"):
            raise Hangup
        if step.get("raw") is not None:
            self.sock.sendall(step.get("raw").encode("latin-1").decode("unicode_escape").encode("latin-1"))
            raise Hangup
        headers, body = headers_of(step, request, self.fill(request))
        self.send_head(step, headers)
        if request.method != "HEAD" and step.status not in (204, 304):
            self.send_body(step, body)
        if ("Connection", "close") in headers:
            self.end_tls()
            raise Hangup

    def end_tls(self) -> None:
        """Says goodbye in TLS too, so that an answer without a length does not look cut."""
        if isinstance(self.sock, ssl.SSLSocket):
            self.sock.settimeout(2)
            self.sock = self.sock.unwrap()

    def serve_one(self) -> None:
        request, version, headers = self.read_request()
        step = for_request(self.server.script.choose(request), request)
        step = self.server.quota.charge(step, request)
        in_flight = self.server.in_flight.add(1)
        self.server.log.note(
            "request",
            connection=self.number,
            method=request.method,
            path=request.path,
            query=request.query,
            version=version,
            scheme=self.scheme,
            host=headers.get("host"),
            authorization=request.authorization,
            accept=headers.get("accept"),
            user_agent=headers.get("user-agent"),
            line=step.line,
            status=step.status,
            in_flight=in_flight,
        )
        try:
            self.play(step, request)
        finally:
            self.server.in_flight.add(-1)

    def greet(self) -> None:
        """What happens before the first byte of the client, when the server is told to be rude."""
        mode = self.server.args.on_accept
        if mode == "close":
            raise Hangup
        if mode == "reset":
            self.reset()
        if mode == "hang":
            self.hang()
        if mode == "banner":
            self.sock.sendall(b"220 mail.example.org ESMTP\r\n")
            raise Hangup

    def run(self) -> None:
        self.server.log.note("open", connection=self.number, open=self.server.open.add(1))
        try:
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.greet()
            self.secure()
            while True:
                self.serve_one()
        except Hangup:
            pass
        except ssl.SSLError as error:
            self.server.log.note("tls-error", connection=self.number, text=str(error))
        except OSError:
            pass  # the client went away, which is its right
        finally:
            self.sock.close()
            self.server.log.note("close", connection=self.number, open=self.server.open.add(-1))


def tls_context(args) -> Optional[ssl.SSLContext]:
    if not args.cert:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if args.tls_max:
        # Old versions are refused by the library itself below its security level 0.
        context.set_ciphers("ALL:@SECLEVEL=0")
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = getattr(ssl.TLSVersion, "TLSv" + args.tls_max.replace(".", "_").replace("1_0", "1"))
    context.load_cert_chain(args.cert, args.key)
    return context


class Server:
    """Listens, and gives each client a thread."""

    def __init__(self, args):
        self.args = args
        self.context = tls_context(args)
        self.log = Log(args.log)
        self.script = Script(args.script)
        self.script.reload()
        self.open = Counter()
        self.in_flight = Counter()
        self.quota = Quota()
        self.fillers: list = []
        self.listener = socket.socket(socket.AF_INET6 if ":" in args.listen else socket.AF_INET)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((args.listen, args.port))
        self.port = self.listener.getsockname()[1]
        self.listener.listen(0 if args.on_accept == "never" else 256)

    def fill_backlog(self) -> None:
        """Nobody accepts: our own connections fill the queue, so that another client's connect gets no answer."""
        for _ in range(4):
            filler = socket.socket(self.listener.family)
            filler.setblocking(False)
            filler.connect_ex(self.listener.getsockname())
            self.fillers.append(filler)

    def serve(self) -> None:
        if self.args.on_accept == "never":
            self.fill_backlog()
            signal.pause()
        for number in itertools.count(1):
            sock, _ = self.listener.accept()
            threading.Thread(target=Connection(self, sock, number).run, daemon=True).start()


def parse_args(argv):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--listen", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--script", metavar="FILE")
    parser.add_argument("--log", metavar="FILE")
    parser.add_argument("--cert", metavar="FILE")
    parser.add_argument("--key", metavar="FILE")
    parser.add_argument("--tls-max", choices=("1.0", "1.1", "1.2"), help="nothing newer than this")
    parser.add_argument("--both", action="store_true", help="with --cert: plain HTTP too, on the same port")
    parser.add_argument("--patient", action="store_true", help="without --cert: a TLS handshake gets no answer")
    parser.add_argument("--on-accept", choices=("close", "reset", "hang", "banner", "never"))
    return parser.parse_args(argv)


def main(argv) -> int:
    try:
        server = Server(parse_args(argv))
    except (OSError, ValueError) as error:
        print(f"fake_registry.py: {error}", file=sys.stderr)
        return 1
    # "Address in use" and the like are told above; from here on a signal ends us at once, threads and all.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    print(json.dumps({"port": server.port}), flush=True)
    server.serve()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
