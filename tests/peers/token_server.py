#!/usr/bin/env -S python3 -B
"""A token server for docker-registry: issues real JWTs (RS256 with x5c), signed by the openssl program.

It prints `{"port": N}` once it listens, and writes each request to the log as one JSON line, so that a test can count
the tokens that were asked for. A control file, read again at each request, makes it misbehave while it runs:

    {"field": "access_token"}           name of the member: token (default), access_token or both
    {"expires_in": 5}                   instead of --expires-in; null leaves the member out
    {"status": 503, "body": "busy"}     refuse everything
    {"garbage": true}                   answer 200 with something that is no JSON
    {"size": 1000000}                   answer 200 with that many bytes
    {"delay": 2.5}                      wait so many seconds before answering
    {"scopes": "first"}                 reads only the first of several scopes
    {"scopes": "one"}                   refuses several scopes with 400
    {"opaque": true}                    tokens that say nothing, and that no registry takes
    {"key": "other"}                    signs what no registry takes, as if its key had been changed
    {"post": 405}                       answers POST with that status; 404 unless there is an --identity

POST takes an OAuth2 form with grant_type=refresh_token, for the identity tokens that --identity NAME:TOKEN names.
"""

import argparse
import base64
import fnmatch
import hmac
import http.server
import json
import os
import secrets
import socketserver
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse
from typing import Optional


def b64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def x5c_of(pem_path: str) -> str:
    """The certificate's DER in base64, which is the body of the PEM file."""
    with open(pem_path, encoding="ascii") as pem:
        lines = [line.strip() for line in pem if "-----" not in line]
    return "".join(lines)


def user_of(authorization: Optional[str]) -> Optional[tuple]:
    """(name, password) of a Basic header; None when there is none or it cannot be read."""
    scheme, _, value = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, colon, password = base64.b64decode(value, validate=True).decode().partition(":")
    except ValueError:
        return None
    return (name, password) if colon else None


class Issuer:
    """Signs tokens. Signing costs a process, so a token is kept per subject and scope while it is fresh."""

    def __init__(self, args):
        self.args = args
        self.x5c = x5c_of(args.cert)
        self.kept: dict = {}
        self.lock = threading.Lock()

    def sign(self, text: str) -> str:
        command = ["openssl", "dgst", "-sha256", "-sign", self.args.key]
        done = subprocess.run(command, input=text.encode(), stdout=subprocess.PIPE, check=True)
        return b64url(done.stdout)

    def make(self, subject: str, access: list, lifetime: int, good: bool) -> str:
        now = int(time.time())
        head = {"typ": "JWT", "alg": "RS256", "x5c": [self.x5c]}
        claims = {
            "iss": self.args.issuer,
            "sub": subject,
            "aud": self.args.service,
            "iat": now,
            "nbf": now - 5,
            "exp": now + lifetime,
            "jti": secrets.token_hex(8),
            "access": access,
        }
        text = ".".join(b64url(json.dumps(part, separators=(",", ":")).encode()) for part in (head, claims))
        return f"{text}.{self.sign(text if good else text + 'x')}"

    def token(self, subject: str, access: list, lifetime: int, good: bool = True) -> str:
        key = (subject, json.dumps(access), lifetime, good)
        with self.lock:
            kept = self.kept.get(key)
            if not kept or kept[0] < time.monotonic():
                kept = (time.monotonic() + lifetime / 2, self.make(subject, access, lifetime, good))
                self.kept[key] = kept
            return kept[1]


class Server(socketserver.ThreadingTCPServer):
    """Not http.server's own class: that one looks up the name of the address when it starts."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, args):
        super().__init__((args.listen, args.port), Handler)
        self.args = args
        self.users = dict(pair.split(":", 1) for pair in args.user)
        self.identities = {token: name for name, token in (pair.split(":", 1) for pair in args.identity)}
        self.issuer = Issuer(args)
        # pylint: disable-next=consider-using-with
        self.log_file = open(args.log, "a", encoding="utf-8") if args.log else None
        self.log_lock = threading.Lock()
        if args.tls_cert:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(args.tls_cert, args.tls_key)
            # The handshake belongs to the thread of the connection, not to the one that accepts.
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def control(self) -> dict:
        try:
            with open(self.args.control, encoding="utf-8") as text:
                return json.load(text)
        except (OSError, TypeError):
            return {}

    def note(self, **members) -> None:
        if self.log_file:
            with self.log_lock:
                self.log_file.write(json.dumps({"event": "request", "time": time.time(), **members}) + "\n")
                self.log_file.flush()

    def is_known(self, user: tuple) -> bool:
        """By password; an identity token is one too, whatever the name beside it (spec/auth/token.md)."""
        return user[1] in self.identities or hmac.compare_digest(self.users.get(user[0], "\0"), user[1])

    def may_pull_anonymously(self, repository: str) -> bool:
        return any(fnmatch.fnmatchcase(repository, pattern) for pattern in self.args.anonymous)

    def access_for(self, user: Optional[tuple], scopes: list) -> list:
        """What is granted of what was asked: a user gets all, anybody else may pull what is public."""
        granted = []
        for scope in " ".join(scopes).split():
            kind, _, rest = scope.partition(":")
            name, _, actions = rest.rpartition(":")
            wanted = actions.split(",")
            if not user:
                wanted = ["pull"] if "pull" in wanted and self.may_pull_anonymously(name) else []
            if wanted and name:
                granted.append({"type": kind, "name": name, "actions": wanted})
        return granted


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60
    # Headers and body go out in two writes; without this the second waits for the client's acknowledgement.
    disable_nagle_algorithm = True

    def log_message(self, *args):
        """The JSON log has it already."""

    def answer(self, status: int, body: bytes, headers=()) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def answer_json(self, status: int, value, headers=()) -> None:
        self.answer(status, json.dumps(value).encode(), headers)

    def misbehave(self, control: dict) -> bool:
        """Plays the scripted fault; False when there is none."""
        time.sleep(control.get("delay", 0))
        if "status" in control:
            self.answer(control["status"], str(control.get("body", "")).encode())
        elif control.get("garbage"):
            self.answer(200, b"<html>not what you expected")
        elif "size" in control:
            self.answer(200, b"x" * control["size"])
        else:
            return False
        return True

    def issue(self, subject: str, access: list, control: dict) -> None:
        expires_in = control.get("expires_in", self.server.args.expires_in)
        # An expiry shorter than the clocks' difference would be refused: the JWT lives at least a minute.
        good = control.get("key") != "other"
        token = self.server.issuer.token(subject, access, max(expires_in or 60, 60), good)
        if control.get("opaque"):
            token = "opaque-" + secrets.token_hex(8)
        field = control.get("field", "token")
        answer = {name: token for name in ("token", "access_token") if field in (name, "both")}
        if expires_in is not None:
            answer["expires_in"] = expires_in
        self.answer_json(200, answer)

    def handle_token(self, fields: dict, query: str) -> None:
        control = self.server.control()
        user = user_of(self.headers.get("Authorization"))
        self.server.note(
            method=self.command,
            path=self.path.partition("?")[0],
            query=query,
            host=self.headers.get("Host"),
            authorization=self.headers.get("Authorization"),
            user=user[0] if user else None,
            service=fields.get("service", [None])[0],
            scope=fields.get("scope", []),
        )
        if self.misbehave(control):
            return
        if user and not self.server.is_known(user):
            refusal = {"errors": [{"code": "UNAUTHORIZED", "message": "incorrect username or password"}]}
            self.answer_json(401, refusal, [("WWW-Authenticate", 'Basic realm="token server"')])
            return
        self.grant(user, fields.get("scope", []), control)

    def grant(self, user: Optional[tuple], scopes: list, control: dict) -> None:
        """A token for what may be granted of these scopes, as far as they are read."""
        scopes = " ".join(scopes).split()
        if control.get("scopes") == "one" and len(scopes) > 1:
            self.answer_json(400, {"error": "invalid_scope"})
            return
        if control.get("scopes") == "first":
            scopes = scopes[:1]
        self.issue(user[0] if user else "", self.server.access_for(user, scopes), control)

    def do_GET(self):
        query = self.path.partition("?")[2]
        self.handle_token(urllib.parse.parse_qs(query), query)

    def do_POST(self):
        """The OAuth2 form (spec/auth/oauth.md), where somebody may use it; else clients have to go back to GET."""
        control = self.server.control()
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        fields = urllib.parse.parse_qs(body)
        name = self.server.identities.get(fields.get("refresh_token", [""])[0])
        self.server.note(
            method="POST",
            path=self.path.partition("?")[0],
            query="",
            form=body,
            authorization=self.headers.get("Authorization"),
            user=name,
            service=fields.get("service", [None])[0],
            scope=fields.get("scope", []),
        )
        if self.misbehave(control):
            return
        if "post" in control or not self.server.identities:
            self.answer_json(control.get("post", 404), {"error": "unsupported_grant_type"})
        elif fields.get("grant_type") != ["refresh_token"] or not fields.get("client_id"):
            self.answer_json(400, {"error": "invalid_request"})
        elif not name:
            self.answer_json(400, {"error": "invalid_grant"})
        else:
            self.grant((name, ""), fields.get("scope", []), control)


def parse_args(argv):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--listen", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--key", required=True, help="RSA key that signs the tokens")
    parser.add_argument("--cert", required=True, help="its certificate, which the registry trusts")
    parser.add_argument("--issuer", default="test issuer")
    parser.add_argument("--service", default="test registry")
    parser.add_argument("--user", action="append", default=[], metavar="NAME:PASSWORD")
    parser.add_argument("--identity", action="append", default=[], metavar="NAME:TOKEN", help="an OAuth2 refresh token")
    parser.add_argument("--anonymous", action="append", default=[], metavar="GLOB", help="repositories all may pull")
    parser.add_argument("--expires-in", type=int, default=300)
    parser.add_argument("--control", metavar="FILE")
    parser.add_argument("--log", metavar="FILE")
    parser.add_argument("--tls-cert", metavar="FILE")
    parser.add_argument("--tls-key", metavar="FILE")
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
