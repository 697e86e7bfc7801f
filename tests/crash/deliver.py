"""Kills `basewatch run` at random moments of polling and delivery, and looks whether anything was lost.

In each run the daemon is started on what the last one left, tags move, and it is killed -9: while it starts, at some
time later, while it writes, or when an event has just arrived somewhere. A tag moves again only when its last digest is in history, so
that every digest could be seen. One of the two brokers is killed now and then, too, with messages in flight.

After each kill a copy of the database must be sound, and its history as far as it goes what the registry served. After
the last one the daemon is left alone until it has nothing to do. Then:
- the database tells the truth, as after a check (crash.py), and every digest that was served is in history, in order;
- each change has one event, and no build waits for its request;
- every event was delivered to each sink, or contained in a later one of the same build;
- what the database calls sent has arrived, byte by byte as it is stored, and nothing else has: at the broker that was
  never killed and at the receiver of webhooks; the other one has acknowledged it, which is all that is promised;
- the events of a base or a build arrived in their order, not counting what arrived again.
"""

import argparse
import collections
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

import arrivals
from crash import Scene, expect, look, parser_of

DEADLINE_S = 60  # until the daemon has nothing to do any more, on any machine
HISTORY = "SELECT b.tag, x.digest FROM sighting x JOIN base b ON b.id = x.base_id ORDER BY x.base_id, x.number"
CONFIGURATION = """
state: {folder}
sources: [{{path: {folder}/src, name: shop}}]
poll: {{every: 1s}}
sinks:
  steady: {{type: mqtt, url: "{steady}"}}
  mortal: {{type: mqtt, url: "{mortal}"}}
  hook: {{type: webhook, url: "{hook}"}}
"""


def history_of(db: sqlite3.Connection) -> dict:
    """tag -> all digests that it was seen with, in their order."""
    found = collections.defaultdict(list)
    for tag, digest in db.execute(HISTORY):
        found[tag].append(digest)
    return found


class Broker:
    """The one that is killed."""

    def __init__(self, folder: str):
        self.folder = folder
        self.child = None

    def start(self) -> None:
        if self.child is None:
            with open(os.path.join(self.folder, "stderr"), "ab") as log:
                command = ["setpriv", "--pdeathsig", "KILL", "--", "mosquitto", "-c", f"{self.folder}/mosquitto.conf"]
                self.child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def kill(self) -> None:
        if self.child:
            self.child.kill()
            self.child.wait()
            self.child = None

    def count_received(self) -> int:
        with open(os.path.join(self.folder, "stderr"), encoding="utf-8", errors="replace") as log:
            return sum(1 for line in log if re.search(r"Received PUBLISH .*'basewatch/events/", line))


class DaemonScene(Scene):
    """The same registry and build files; now builds stand on two bases, and a daemon watches them."""

    def __init__(self, args):
        super().__init__(args)
        self.database = os.path.join(args.folder, "basewatch.db")
        self.configuration = os.path.join(args.folder, "basewatch.yaml")
        self.served: dict = collections.defaultdict(list)  # tag -> its digests so far
        self.broker = Broker(args.mortal_folder)
        self.child = None
        self.log = os.path.join(args.folder, "daemon.log")

    def build_file(self, n: int) -> str:
        other = f"{self.args.registry}/app:t{n + 1}"
        return super().build_file(n) + (f"COPY --from={other} /a /a\n" if n % 6 < 5 else "")

    def prepare(self) -> None:
        super().prepare()
        names = {name: getattr(self.args, name) for name in ("folder", "steady", "mortal", "hook")}
        with open(self.configuration, "w", encoding="ascii") as out:
            out.write(CONFIGURATION.format(**names))

    def move(self, tag: str, image) -> None:
        if self.digests.get(tag) != image.top.digest:
            self.served[tag].append(image.top.digest)
        super().move(tag, image)

    def ask(self, sql: str) -> list:
        """Of the database as it is now. Not for longer: the next daemon shall be the one that recovers it."""
        db = sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)
        try:
            return db.execute(sql).fetchall()
        except sqlite3.OperationalError:  # there is none yet
            return []
        finally:
            db.close()

    def last_seen(self) -> dict:
        return dict(self.ask(HISTORY))

    def move_some(self) -> None:
        seen = self.last_seen() if os.path.exists(self.database) else {}
        free = sorted(tag for tag, digest in self.digests.items() if seen.get(tag) == digest)
        for tag in self.random.sample(free, min(len(free), self.random.randint(1, 8))):
            self.move(tag, self.random.choice(self.images))

    # --- the daemon

    def start_daemon(self) -> None:
        command = [self.args.program, "run", "--config", self.configuration, "--allow-root"]
        with open(self.log, "wb") as log:
            self.child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def kill_daemon(self) -> None:
        expect(self.child.poll() is None, f"the daemon ended by itself, with {self.child.returncode}")
        self.child.kill()
        self.child.wait()

    def arrived_bytes(self) -> int:
        return os.path.getsize(self.args.heard) + os.path.getsize(self.args.hook_log)

    def last_write(self) -> int:
        log = self.database + "-wal"
        return os.stat(log).st_mtime_ns if os.path.exists(log) else 0

    def wait_for_another(self, value) -> None:
        before, end = value(), time.monotonic() + 1.2
        while value() == before and time.monotonic() < end:
            time.sleep(0.0002)

    def disturb_broker(self) -> None:
        chance = self.random.random()
        if chance < 0.2:
            self.broker.kill()
        if chance > 0.1:
            self.broker.start()

    def run_killed(self) -> None:
        plan = self.random.choice(["start", "time", "write", "write", "arrival"])
        self.start_daemon()
        if plan == "start":
            time.sleep(self.random.uniform(0, 0.25))
        for _ in range(0 if plan == "start" else self.random.randint(1, 3)):
            self.move_some()
            time.sleep(self.random.uniform(0, 0.3))
            self.disturb_broker()
        if plan == "write":
            for _ in range(self.random.randint(1, 4)):
                self.wait_for_another(self.last_write)
            time.sleep(self.random.uniform(0, 0.003))
        if plan == "arrival":
            self.wait_for_another(self.arrived_bytes)
            time.sleep(self.random.uniform(0, 0.02))
        self.kill_daemon()

    def look_at_copy(self) -> None:
        """After a kill; at a copy, because looking would recover the database itself."""
        copy = os.path.join(self.args.folder, "copy.db")
        for suffix in ("", "-wal"):
            if os.path.exists(self.database + suffix):
                shutil.copyfile(self.database + suffix, copy + suffix)
        if os.path.exists(copy):
            look_at_history(self, copy)
        for suffix in ("", "-wal", "-shm"):
            if os.path.exists(copy + suffix):
                os.remove(copy + suffix)

    # --- the end

    def is_settled(self) -> bool:
        with open(self.log, "rb") as log:
            if b": watching " not in log.read():
                return False
        owed = "SELECT (SELECT count(*) FROM delivery WHERE state = 'due') + (SELECT count(*) FROM outstanding WHERE pending)"
        return self.last_seen() == self.digests and self.ask(owed) == [(0,)]

    def what_is_owed(self) -> str:
        owed = self.ask("SELECT s.name, count(*), max(attempts), min(next_at), max(error) FROM delivery JOIN sink s ON s.id = sink_id WHERE state = 'due' GROUP BY 1")
        seen = self.last_seen()
        return f"due {owed}, not seen {[tag for tag, digest in self.digests.items() if seen.get(tag) != digest]}"

    def let_end(self) -> None:
        self.broker.start()
        self.start_daemon()
        end = time.monotonic() + DEADLINE_S
        while not self.is_settled():
            expect(time.monotonic() < end, f"after {DEADLINE_S} s there is something left to do: {self.what_is_owed()}")
            time.sleep(0.02)
        self.child.send_signal(signal.SIGTERM)
        self.child.wait(timeout=30)
        expect(self.child.returncode == 0, f"the daemon ended with {self.child.returncode}")


def look_at_history(scene: DaemonScene, path: str) -> None:
    db = sqlite3.connect(path)
    expect(db.execute("PRAGMA integrity_check").fetchone()[0] == "ok", "the database is damaged")
    expect(not db.execute("PRAGMA foreign_key_check").fetchall(), "a row refers to nothing")
    if db.execute("PRAGMA user_version").fetchone()[0] > 0:
        for tag, digests in history_of(db).items():
            expect(digests == scene.served[tag][: len(digests)], f"{tag}: history is not what was served")
    db.close()


def wait_for_subscriber(path: str, wanted: set) -> None:
    """What the broker has acknowledged is on its way."""
    end = time.monotonic() + 10
    while not wanted <= {key for key, _ in arrivals.read(path)} and time.monotonic() < end:
        time.sleep(0.05)


def look_at_deliveries(db: sqlite3.Connection) -> int:
    """How many are superseded. To each sink, and only where a later request contains it, not sent."""
    states = db.execute(
        "SELECT s.name, e.id, e.type, d.state FROM delivery d JOIN event e ON e.number = d.event JOIN sink s ON s.id = d.sink_id"
    ).fetchall()
    for name, key, kind, state in states:
        may = ("sent", "superseded") if kind == "io.basewatch.rebuild.requested" else ("sent",)
        expect(state in may, f"{name}: {kind} {key} is {state}")
    owed = collections.Counter(name for name, *_ in states)
    count = db.execute("SELECT count(*) FROM event").fetchone()[0]
    expect(owed == {name: count for name in ("steady", "mortal", "hook")}, f"not owed to all: {dict(owed)}")
    return sum(1 for row in states if row[3] == "superseded")


def look_at_events(scene: DaemonScene) -> str:
    db = sqlite3.connect(scene.database)
    told = db.execute("SELECT base_id, sighting FROM event WHERE type = 'io.basewatch.base.changed'").fetchall()
    changes = db.execute("SELECT base_id, number FROM change").fetchall()
    expect(sorted(told) == sorted(changes), "changes and their events are not the same")
    unasked = db.execute("SELECT count(*) FROM outstanding WHERE stale_since IS NOT NULL AND requested_at IS NULL")
    expect(unasked.fetchone()[0] == 0, "a build is stale, and nobody was asked to build it")
    superseded = look_at_deliveries(db)
    events, sent = arrivals.events_of(db), {name: arrivals.sent_to(db, name) for name in ("steady", "mortal", "hook")}
    db.close()
    wait_for_subscriber(scene.args.heard, sent["steady"])
    _, steady = arrivals.look("steady", arrivals.read(scene.args.heard), events, sent["steady"])
    _, hook = arrivals.look("hook", arrivals.read(scene.args.hook_log), events, sent["hook"])
    received = scene.broker.count_received()
    expect(received >= len(sent["mortal"]), f"mortal: {len(sent['mortal'])} are sent, and it got only {received}")
    return f"{len(events)} events; again to the broker {steady}, to the receiver {hook}; {superseded} superseded"


def parse() -> argparse.Namespace:
    parser = parser_of(__doc__)
    for name in ("steady", "mortal", "mortal-folder", "hook", "hook-log", "heard"):
        parser.add_argument(f"--{name}", required=True)
    return parser.parse_args()


def main() -> int:
    args = parse()
    scene = DaemonScene(args)
    run = 0
    print(f"seed {args.seed}", flush=True)
    try:
        scene.prepare()
        for run in range(1, args.runs + 1):
            scene.run_killed()
            scene.look_at_copy()
        scene.let_end()
        look(scene)
        for tag, digests in history_of(sqlite3.connect(scene.database)).items():
            expect(digests == scene.served[tag], f"{tag}: history is not all that was served")
        summary = look_at_events(scene)
    except AssertionError as problem:
        print(f"run {run} of seed {args.seed}: {problem}", file=sys.stderr)
        return 1
    finally:
        scene.broker.kill()
        if scene.child and scene.child.poll() is None:
            scene.child.kill()
    print(f"{args.runs} kills of the daemon, nothing lost: {summary}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
