#!/usr/bin/env -S python3 -B
"""Many registries in one process, some of them in ruins: for what has to go on beside those that never answer.

Each listens at a loopback address of its own, 127.0.K.N, on a port of the kernel's choosing, and is of a kind:

    good      plain HTTP, as a registry answers; every tag of every repository is there
    silent    accepts and never says anything: a TLS handshake does not begin
    stuck     answers a TLS handshake with the first bytes of one, and nothing more
    mute      plain HTTP that takes a request and never answers it
    drip      the same, but a byte of an answer comes twice a second
    refuse    nobody listens there

It prints {"port": 0, "good": ["127.0.1.1:PORT", ...], "silent": [...], ...} once all of them listen. One thread does all,
so the order of the lines in the log is the order of what happened. They are JSON objects:

    {"event": "open" | "close", "kind", "host"}                   a connection; all events have a "time", too
    {"event": "hold", "kind", "host"}                             nothing will be said on it any more
    {"event": "given-up", "kind", "host"}                         one of those was closed by the other side, or released
    {"event": "request", "kind", "host", "method", "path", "status"}   status 0: there will never be an answer
    {"event": "epoch" | "released"}

SIGUSR1: all tags move. SIGUSR2: those that never answer end their connections with a reset, and listen no more.
"""

import argparse
import asyncio
import hashlib
import json
import signal
import socket
import struct
import sys
import time

KINDS = ("good", "silent", "stuck", "mute", "drip", "refuse")
TLS_HANDSHAKE = 0x16
BEGUN_HANDSHAKE = bytes((TLS_HANDSHAKE, 3, 3, 0, 122, 2, 0, 0, 118, 3, 3))
MEDIA_TYPE = "application/vnd.oci.image.index.v1+json"
MAX_HEAD_BYTES = 64 * 1024
RESET = struct.pack("ii", 1, 0)


class Peers:
    """What all of them share."""

    def __init__(self, log):
        self.log = log
        self.epoch = 0
        self.bodies: dict = {}
        self.held: set = set()
        self.servers: list = []
        self.tasks: set = set()

    def note(self, event: str, **members) -> None:
        if self.log:
            self.log.write(json.dumps({"event": event, "time": time.time(), **members}) + "\n")
            self.log.flush()

    def manifest_of(self, host: str, path: str) -> bytes:
        marks = {"host": host, "path": path, "epoch": str(self.epoch)}
        index = {"schemaVersion": 2, "mediaType": MEDIA_TYPE, "manifests": [], "annotations": marks}
        body = json.dumps(index).encode()
        self.bodies[digest_of(body)] = body
        return body

    def next_epoch(self) -> None:
        self.epoch += 1
        self.note("epoch")

    def release(self) -> None:
        for server in self.servers:
            server.close()
        for writer in self.held:
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            writer.transport.abort()
        self.note("released")


def digest_of(body: bytes) -> str:
    return "sha256:" + hashlib.sha256(body).hexdigest()


def answer(status: str, body: bytes = b"", headers=None) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


class Registry:
    """One of them."""

    def __init__(self, peers: Peers, kind: str, address: str):
        self.peers = peers
        self.kind = kind
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind((address, 0))
        self.name = f"{address}:{self.socket.getsockname()[1]}"

    def note(self, event: str, **members) -> None:
        self.peers.note(event, kind=self.kind, host=self.name, **members)

    async def listen(self) -> None:
        if self.kind == "refuse":  # the port stays taken, and nobody is there
            return
        server = await asyncio.start_server(self.talk, sock=self.socket, backlog=64, limit=MAX_HEAD_BYTES)
        if self.kind != "good":
            self.peers.servers.append(server)

    async def talk(self, reader, writer) -> None:
        self.note("open")
        if self.kind != "good":
            self.peers.held.add(writer)
        try:
            await self.serve(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        self.peers.held.discard(writer)
        self.note("close")
        writer.close()

    async def hold(self, reader) -> None:
        """Takes what comes, until the other side has enough."""
        self.note("hold")
        try:
            while await reader.read(4096):
                pass
        finally:
            self.note("given-up")

    async def serve(self, reader, writer) -> None:
        if self.kind == "silent":
            await self.hold(reader)
            return
        first = await reader.readexactly(1)
        if first[0] == TLS_HANDSHAKE:
            if self.kind == "stuck":
                writer.write(BEGUN_HANDSHAKE)
                await self.hold(reader)
            else:
                writer.write(answer("400 Bad Request"))
            return
        while True:
            head = first + await reader.readuntil(b"\r\n\r\n")
            first = b""
            method, path, _ = head.decode("latin-1").split(" ", 2)
            if self.kind != "good":
                self.note("request", method=method, path=path, status=0)
                await self.never(reader, writer)
                return
            self.reply(writer, method, path)
            await writer.drain()

    def reply(self, writer, method: str, path: str) -> None:
        repository, found, reference = path.partition("/manifests/")
        if not found:
            body = None
        elif reference.startswith("sha256:"):
            body = self.peers.bodies.get(reference)
        else:
            body = self.peers.manifest_of(self.name, f"{repository}:{reference}")
        if body is None:
            writer.write(answer("404 Not Found"))
        else:
            writer.write(answer("200 OK", body, {"Content-Type": MEDIA_TYPE, "Docker-Content-Digest": digest_of(body)}))
            writer.write(body if method == "GET" else b"")
        self.note("request", method=method, path=path, status=404 if body is None else 200)

    async def never(self, reader, writer) -> None:
        if self.kind == "drip":
            task = asyncio.ensure_future(drip(writer))
            self.peers.tasks.add(task)
            await self.hold(reader)
            task.cancel()
        else:
            await self.hold(reader)


async def drip(writer) -> None:
    for byte in b"HTTP/1.1 200 OK\r\nX-Filling: " + b"x" * 100000:
        writer.write(bytes((byte,)))
        await asyncio.sleep(0.5)


async def run(args) -> None:
    with open(args.log, "a", encoding="utf-8") if args.log else open("/dev/null", "w", encoding="utf-8") as log:
        peers = Peers(log)
        said: dict = {"port": 0}
        for block, kind in enumerate(KINDS, start=1):
            all_of_kind = [Registry(peers, kind, f"127.0.{block}.{n + 1}") for n in range(getattr(args, kind))]
            for one in all_of_kind:
                await one.listen()
            said[kind] = [one.name for one in all_of_kind]
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGUSR1, peers.next_epoch)
        loop.add_signal_handler(signal.SIGUSR2, peers.release)
        print(json.dumps(said), flush=True)
        await asyncio.Event().wait()


def parse_args(argv):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for kind in KINDS:
        parser.add_argument(f"--{kind}", type=int, default=0, metavar="N", help="so many of this kind, up to 250")
    parser.add_argument("--log", metavar="FILE")
    return parser.parse_args(argv)


def main(argv) -> int:
    asyncio.run(run(parse_args(argv)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
