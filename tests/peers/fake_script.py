"""The script language of the fake registry: which request gets which answer. Pure; no sockets in here.

One line per answer; `#` starts a comment; words are split as a shell would.

    METHOD PATH [GUARD…] ANSWER…

METHOD is `HEAD`, `HEAD|GET` or `*`; PATH is a glob without the query (`*` matches slashes too). The first rule that
fits a request answers it. Lines with the same METHOD, PATH and guards are one rule: its answers come one after
another, and the last one stays for ever (or the rule starts again, when a line of it says `loop`).

Guards:   auth=none | auth=any | auth=GLOB of the Authorization header        query=GLOB of the raw query

Answers:  404                          the status; 200 when it is left out
          times=3                      this answer three times, then the next line
          loop                         after the rule's last answer start again with the first
Body:     manifest=SEED [kind=oci|docker|index|list|nested] [platform=P,P] [attest=TEXT] [config-seed=TEXT]
                                       a crafted image, its media type, and its digest in Docker-Content-Digest
          by-digest=SEED,SEED [kind=...]     what the path asks for by digest, of these crafted images: the index,
                                       a child, a configuration or a layer; 404 for other digests
          code=MANIFEST_UNKNOWN [message=TEXT]       the error document of the registry API
          token=T | access_token=T [expires_in=N]    what a token endpoint answers
          body=TEXT | file=PATH | size=BYTES | html   anything else; type=MEDIA_TYPE sets its Content-Type
Headers:  digest=none | digest=wrong | digest=TEXT   instead of the right digest
          header='Name: value'         as often as wanted; it replaces our own header of that name
          bearer | bearer=REALM        a Bearer challenge (realm {base}/token, scope of the repository asked for)
          basic                        a Basic challenge
          challenge=TEXT               that WWW-Authenticate line, as often as wanted
          location=URL                 for a redirect
          retry-after=30 | retry-after=date+30 | retry-after=TEXT
          length=N | length=none       a Content-Length that is not true, or none at all
          quota=LIMIT/SECONDS [quota-form=hub|draft03|draft07|draft08|x] [quota-head=free]
                                       counts what it answers so in a sliding window of the whole server, says what is
                                       left, and answers 429 when nothing is; with quota-head HEAD is not counted
          chunked                      Transfer-Encoding: chunked
          keep=no                      close the connection after this answer
Faults:   delay=S                      wait before the answer
          hang                         never answer
          close | reset                end the connection without an answer
          drip-head=S                  S seconds between the header lines
          drip=BYTES                   so many bytes of the body a second
          cut=N                        close after N bytes of the body
          cut-head                     close in the middle of the headers
          stall=N                      N bytes of the body, then silence
          raw=TEXT                     these bytes instead of an answer; \\r \\n \\t \\xNN are understood

In the texts {base} is this server's URL, {host} its host:port, {port} its port, {repository} the repository asked for.
"""

import fnmatch
import re
import shlex
from dataclasses import dataclass, field
from typing import Optional

VERBS = {"loop", "html", "bearer", "basic", "chunked", "hang", "close", "reset", "cut-head"}
REPEATED = {"header", "challenge"}
VALUES = {
    "auth", "query", "times", "manifest", "by-digest", "kind", "platform", "attest", "config-seed", "code", "message", "token",
    "access_token", "expires_in", "body", "file", "size", "type", "digest", "bearer", "location", "retry-after",
    "length", "keep", "quota", "quota-form", "quota-head", "delay", "drip-head", "drip", "cut", "stall", "raw", *REPEATED,
}  # fmt: skip
GUARDS = ("auth", "query")
REPOSITORY = re.compile(r"^/v2/(.+)/(?:manifests|blobs|tags|referrers)/")


class ScriptError(ValueError):
    """A line that cannot be understood; the text starts with its number."""


@dataclass(frozen=True)
class Request:
    """What a rule may look at."""

    method: str
    path: str
    query: str
    authorization: Optional[str]

    @property
    def repository(self) -> str:
        found = REPOSITORY.match(self.path)
        return found.group(1) if found else ""


@dataclass
class Step:
    """One answer."""

    line: int
    status: int = 200
    options: dict = field(default_factory=dict)  # word -> value; True for a verb; a list for the repeated ones

    def get(self, name: str, default=None):
        return self.options.get(name, default)

    def number(self, name: str, default: float = 0) -> float:
        return float(self.options.get(name, default))


@dataclass
class Rule:
    """The answers for one kind of request, and how far they have been given."""

    methods: list
    path: str
    guards: dict
    steps: list = field(default_factory=list)
    is_loop: bool = False
    place: int = 0

    def fits(self, request: Request) -> bool:
        if "*" not in self.methods and request.method not in self.methods:
            return False
        if not fnmatch.fnmatchcase(request.path, self.path):
            return False
        return self.fits_auth(request.authorization) and fnmatch.fnmatchcase(
            request.query, self.guards.get("query", "*")
        )

    def fits_auth(self, authorization: Optional[str]) -> bool:
        wanted = self.guards.get("auth")
        if wanted is None:
            return True
        if wanted == "none" or authorization is None:
            return wanted == "none" and authorization is None
        return wanted == "any" or fnmatch.fnmatchcase(authorization, wanted)

    def next(self) -> Step:
        step = self.steps[self.place]
        if self.place + 1 < len(self.steps):
            self.place += 1
        elif self.is_loop:
            self.place = 0
        return step


def parse_answer(line: int, words: list) -> Step:
    step = Step(line)
    for word in words:
        name, equals, value = word.partition("=")
        if re.fullmatch(r"[1-9][0-9]{2}", word):
            step.status = int(word)
        elif not equals and word in VERBS:
            step.options[word] = True
        elif equals and name in REPEATED:
            step.options.setdefault(name, []).append(value)
        elif equals and name in VALUES:
            step.options[name] = value
        else:
            raise ScriptError(f"line {line}: no such word: {word}")
    return step


def parse(text: str) -> list:
    """The rules of a script, in the order of their first lines."""
    rules: dict = {}
    for number, line in enumerate(text.splitlines(), 1):
        try:
            words = shlex.split(line, comments=True)
        except ValueError as error:
            raise ScriptError(f"line {number}: {error}") from error
        if not words:
            continue
        if len(words) < 3:
            raise ScriptError(f"line {number}: METHOD PATH ANSWER expected")
        step = parse_answer(number, words[2:])
        guards = {name: step.options.pop(name) for name in GUARDS if name in step.options}
        rule = rules.setdefault((words[0], words[1], *guards.items()), Rule(words[0].split("|"), words[1], guards))
        rule.steps += [step] * int(step.options.pop("times", 1))
        rule.is_loop = rule.is_loop or bool(step.options.pop("loop", False))
    return list(rules.values())


def choose(rules: list, request: Request) -> Optional[Step]:
    """The next answer for this request; None when no rule fits."""
    for rule in rules:
        if rule.fits(request):
            return rule.next()
    return None
