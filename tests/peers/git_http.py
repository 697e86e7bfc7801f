"""git_http.py - git's smart HTTP over `git http-backend`, on loopback, with a log of what was asked.

  git_http.py --root FOLDER --log FILE [--user NAME:PASSWORD] [--redirect URL]

Every repository below FOLDER is exported. With --user everybody has to say who they are (Basic). With --redirect every
request is answered with 302 to URL followed by its own path. Prints {"port": N} when it listens.
"""
import argparse
import base64
import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LOCK = threading.Lock()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def note(self):
        path, _, query = self.path.partition("?")
        line = {"event": "request", "method": self.command, "path": path, "query": query,
                "authorization": self.headers.get("Authorization")}
        with LOCK, open(self.server.options.log, "a", encoding="utf-8") as f:
            f.write(json.dumps(line) + "\n")

    def simple(self, status, headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def body(self):
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def is_allowed(self):
        user = self.server.options.user
        wanted = "Basic " + base64.b64encode((user or "").encode()).decode()
        return not user or self.headers.get("Authorization") == wanted

    def serve(self):
        options = self.server.options
        body = self.body()
        self.note()
        if options.redirect:
            return self.simple(302, [("Location", options.redirect + self.path)])
        if not self.is_allowed():
            return self.simple(401, [("WWW-Authenticate", 'Basic realm="test"')])
        path, _, query = self.path.partition("?")
        env = {"PATH": os.environ["PATH"], "GIT_PROJECT_ROOT": options.root, "GIT_HTTP_EXPORT_ALL": "1",
               "REQUEST_METHOD": self.command, "PATH_INFO": path, "QUERY_STRING": query, "REMOTE_ADDR": "127.0.0.1",
               "CONTENT_TYPE": self.headers.get("Content-Type", ""), "CONTENT_LENGTH": str(len(body)),
               "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""), "GIT_CONFIG_GLOBAL": "/dev/null",
               "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", "")}
        done = subprocess.run(["git", "http-backend"], input=body, stdout=subprocess.PIPE, env=env, check=False)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = [line.split(": ", 1) for line in head.decode("latin-1").split("\r\n") if ": " in line]
        status = next((int(v.split()[0]) for k, v in headers if k == "Status"), 200)
        self.send_response(status)
        for name, value in headers:
            if name not in ("Status", "Content-Length"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        return None

    do_GET = do_POST = serve


def main():
    p = argparse.ArgumentParser()
    for name in ("--root", "--log"):
        p.add_argument(name, required=True)
    p.add_argument("--user")
    p.add_argument("--redirect")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.options = p.parse_args()
    open(server.options.log, "a", encoding="utf-8").close()
    print(json.dumps({"port": server.server_port}), flush=True)
    server.serve_forever()


sys.exit(main())
