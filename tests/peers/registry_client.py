"""A small client of the registry API: pushes, retags and deletes what craft.py made.

Connections are kept alive and one Registry serves one thread; the bench pushes ten thousand tags through it.
"""

import base64
import http.client
import json
import re
import ssl
import urllib.parse
from dataclasses import dataclass
from typing import Optional

from craft import MANIFEST_TYPES, Blob, Image

ACCEPT = ", ".join(MANIFEST_TYPES)
TIMEOUT_S = 30


class RegistryError(Exception):
    """The registry said no; the text has the method, the path and its answer."""


@dataclass(frozen=True)
class Reference:
    """`HOST/repository:tag` or `HOST/repository@digest`, split. Nothing is filled in: tests say what they mean."""

    host: str
    repository: str
    name: str  # tag or digest

    @staticmethod
    def parse(text: str) -> "Reference":
        host, slash, rest = text.partition("/")
        mark = "@" if "@" in rest else ":"
        repository, found, name = rest.partition(mark)
        if not slash or not found or not name or not repository:
            raise ValueError(f"{text!r} is not HOST/repository:tag or HOST/repository@digest")
        return Reference(host, repository, name)


@dataclass(frozen=True)
class Access:
    """How to reach a registry: TLS with this CA, or plain HTTP; and as whom."""

    is_tls: bool = False
    ca_file: Optional[str] = None
    user: Optional[str] = None  # name:password


@dataclass(frozen=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes


def basic(user: str) -> str:
    return "Basic " + base64.b64encode(user.encode()).decode()


def connect(is_tls: bool, host: str, ca_file: Optional[str]) -> http.client.HTTPConnection:
    if not is_tls:
        return http.client.HTTPConnection(host, timeout=TIMEOUT_S)
    context = ssl.create_default_context(cafile=ca_file)
    return http.client.HTTPSConnection(host, timeout=TIMEOUT_S, context=context)


class Registry:
    """One registry over one connection."""

    def __init__(self, host: str, access: Access):
        self.host = host
        self.access = access
        self.connection = connect(access.is_tls, host, access.ca_file)
        self.authorization: dict = {}  # repository -> header value

    def close(self) -> None:
        self.connection.close()

    def send(self, method: str, path: str, body: Optional[bytes], headers: dict) -> Answer:
        """One request; a connection that the server has closed meanwhile is opened again once."""
        for is_last in (False, True):
            try:
                self.connection.request(method, path, body=body, headers=headers)
                got = self.connection.getresponse()
                return Answer(got.status, got.headers, got.read())
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                self.connection.close()
                if is_last:
                    raise
        raise AssertionError("not reached")

    def request(self, method: str, repository: str, rest: str, wanted, body=None, headers=None) -> Answer:
        """A request about a repository, logged in when the registry asks for it; wanted are the good statuses."""
        path = rest if rest.startswith("/") else f"/v2/{repository}/{rest}"
        sent = dict(headers or {})
        if repository in self.authorization:
            sent["Authorization"] = self.authorization[repository]
        got = self.send(method, path, body, sent)
        if got.status == 401:
            self.authorization[repository] = self.log_in(repository, got)
            sent["Authorization"] = self.authorization[repository]
            got = self.send(method, path, body, sent)
        if got.status not in wanted:
            raise RegistryError(f"{method} {path}: {got.status} {got.body[:300].decode(errors='replace')}")
        return got

    def log_in(self, repository: str, refusal: Answer) -> str:
        challenge = refusal.headers.get("WWW-Authenticate", "")
        if challenge.lower().startswith("basic"):
            if not self.access.user:
                raise RegistryError(f"{self.host} asks for a user")
            return basic(self.access.user)
        params = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
        if "realm" not in params:
            raise RegistryError(f"{self.host}: cannot use the challenge {challenge!r}")
        return "Bearer " + self.fetch_token(params, f"repository:{repository}:pull,push,delete")

    def fetch_token(self, params: dict, scope: str) -> str:
        realm = urllib.parse.urlsplit(params["realm"])
        query = urllib.parse.urlencode({"service": params.get("service", ""), "scope": scope})
        headers = {"Authorization": basic(self.access.user)} if self.access.user else {}
        connection = connect(realm.scheme == "https", realm.netloc, self.access.ca_file)
        try:
            connection.request("GET", f"{realm.path}?{query}", headers=headers)
            got = connection.getresponse()
            body = got.read()
        finally:
            connection.close()
        if got.status != 200:
            raise RegistryError(f"token for {scope}: {got.status} {body[:300].decode(errors='replace')}")
        answer = json.loads(body)
        return answer.get("token") or answer["access_token"]

    def has_blob(self, repository: str, blob: Blob) -> bool:
        return self.request("HEAD", repository, f"blobs/{blob.digest}", (200, 404)).status == 200

    def push_blob(self, repository: str, blob: Blob) -> None:
        if self.has_blob(repository, blob):
            return
        got = self.request("POST", repository, "blobs/uploads/", (202,), headers={"Content-Length": "0"})
        place = urllib.parse.urlsplit(got.headers["Location"])
        query = urllib.parse.urlencode(urllib.parse.parse_qsl(place.query) + [("digest", blob.digest)])
        headers = {"Content-Type": "application/octet-stream"}
        self.request("PUT", repository, f"{place.path}?{query}", (201,), blob.data, headers)

    def put_manifest(self, repository: str, name: str, blob: Blob) -> None:
        headers = {"Content-Type": blob.media_type}
        got = self.request("PUT", repository, f"manifests/{name}", (201,), blob.data, headers)
        stored = got.headers.get("Docker-Content-Digest")
        if stored and stored != blob.digest:
            raise RegistryError(f"{repository}:{name} was stored as {stored}, not as {blob.digest}")

    def push_parts(self, repository: str, image: Image) -> None:
        """All that the top object needs: blobs, then the inner manifests by digest."""
        for blob in {part.digest: part for part in image.blobs}.values():
            self.push_blob(repository, blob)
        for inner in image.manifests[:-1]:
            self.put_manifest(repository, inner.digest, inner)

    def push(self, repository: str, name: str, image: Image) -> None:
        self.push_parts(repository, image)
        self.put_manifest(repository, name, image.top)

    def digest(self, repository: str, name: str) -> Optional[str]:
        """What a tag points to; None when it is gone."""
        got = self.request("HEAD", repository, f"manifests/{name}", (200, 404), headers={"Accept": ACCEPT})
        return got.headers["Docker-Content-Digest"] if got.status == 200 else None

    def manifest(self, repository: str, name: str) -> Blob:
        got = self.request("GET", repository, f"manifests/{name}", (200,), headers={"Accept": ACCEPT})
        return Blob(got.headers["Content-Type"], got.body)

    def delete(self, repository: str, digest: str, kind: str = "manifests") -> None:
        """A manifest, or with the kind "blobs" a configuration or a layer."""
        self.request("DELETE", repository, f"{kind}/{digest}", (202,))
