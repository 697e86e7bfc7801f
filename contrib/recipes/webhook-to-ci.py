#!/usr/bin/env python3
"""webhook-to-ci.py - starts a pipeline of GitLab or a workflow of GitHub for each rebuild that basewatch asks for.

    PORT=8750 SECRET_FILE=hook TOKEN_FILE=token GITLAB=https://gitlab.com webhook-to-ci.py 1234
    PORT=8750 SECRET_FILE=hook TOKEN_FILE=token webhook-to-ci.py acme/shop

The operand is the number of the GitLab project, whose token is that of a pipeline trigger; or OWNER/NAME on GitHub, with
a token that may write its contents. The sink of basewatch:

    ci:
      type: webhook
      url: "http://127.0.0.1:8750/"
      events: [rebuild.requested]
      secrets: [{file: /etc/basewatch/hook}]

Needs Python 3.7 and nothing else. It answers 502 when the pipeline could not be started: then basewatch tries again.
"""

import base64
import hmac
import http.server
import json
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

MAX_BYTES = 1 << 20
TOLERANCE_S = 300


def read(name: str) -> str:
    with open(os.environ[name], encoding="ascii") as f:
        return f.read().strip()


def is_ours(secret: str, headers, body: bytes) -> bool:
    """Standard Webhooks: HMAC-SHA256 over "id.timestamp.body"; the header may hold several signatures."""
    stamp = headers.get("webhook-timestamp", "")
    if not stamp.isdecimal() or abs(time.time() - int(stamp)) > TOLERANCE_S:
        return False
    key = base64.b64decode(secret[6:] if secret.startswith("whsec_") else secret)
    signed = f"{headers.get('webhook-id', '')}.{stamp}.".encode() + body
    wanted = "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
    given = headers.get("webhook-signature", "").split(" ")
    return any(hmac.compare_digest(wanted.encode(), one.encode()) for one in given)


def request_for(project: str, event: dict) -> urllib.request.Request:
    data = event["data"]
    asked = {
        "event": event["id"],
        "file": data["file"],
        "image": data["image"] or "",
        "target": data["target"] or "",
        "bases": " ".join(f"{base['base']}@{base['to']}" for base in data["bases"]),
    }
    branch = data["branch"] or os.environ.get("BRANCH", "main")
    if "/" in project:
        url = f"{os.environ.get('GITHUB', 'https://api.github.com')}/repos/{project}/dispatches"
        body = {"event_type": "rebuild", "client_payload": {**asked, "branch": branch}}
        headers = {"Authorization": "Bearer " + read("TOKEN_FILE"), "Content-Type": "application/json"}
        return urllib.request.Request(url, json.dumps(body).encode(), headers)
    url = f"{os.environ['GITLAB']}/api/v4/projects/{project}/trigger/pipeline"
    form = {f"variables[BASEWATCH_{name.upper()}]": value for name, value in asked.items()}
    form.update(token=read("TOKEN_FILE"), ref=branch)
    return urllib.request.Request(url, urllib.parse.urlencode(form).encode())


class Receiver(http.server.BaseHTTPRequestHandler):
    timeout = 30

    def answer(self, status: int, text: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > MAX_BYTES:
            return self.answer(413, "too large")
        body = self.rfile.read(int(length))
        if not is_ours(read("SECRET_FILE"), self.headers, body):
            return self.answer(401, "not signed with our secret")
        event = json.loads(body)
        if event["type"] != "io.basewatch.rebuild.requested":
            return self.answer(200, "nothing to do")  # the marked one of `basewatch sink test`, for example
        try:
            urllib.request.urlopen(request_for(sys.argv[1], event), timeout=20).close()
        except urllib.error.HTTPError as e:
            return self.answer(502, f"the pipeline was not started: {e.code}")
        except OSError:
            return self.answer(502, "the pipeline was not started: not reached")
        return self.answer(200, "started")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: webhook-to-ci.py PROJECT, see its beginning")
    http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Receiver).serve_forever()
