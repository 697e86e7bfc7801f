#!/usr/bin/env -S python3 -B
"""Compares what has arrived at a receiver of events with what the database says.

    arrivals.py DATABASE SINK FILE [--once]

FILE is what mosquitto_sub wrote with a format such as '%t|%p', or the log of webhook_receiver.py. Everything in it must
be an event of the database, byte by byte as it is stored; all that is sent to this sink must be in it; and the events of
one subject in their order, not counting what came again. With --once nothing may have come again. It prints how many
events came, and how many of them again.
"""

import argparse
import hashlib
import json
import re
import sqlite3
import sys

MESSAGE = re.compile(r"^[^ |{]*/events/[^|{]*\|[^{]*(\{.*\})$")


class Wrong(AssertionError):
    """What has arrived is not what it should be; the text says how."""


def expect(holds: bool, what: str) -> None:
    if not holds:
        raise Wrong(what)


def digest_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def read(path: str) -> list:
    """[(id, SHA-256 of the bytes)] in the order of their arrival."""
    found = []
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            message = MESSAGE.match(line.rstrip("\n"))
            if not line.endswith("\n"):  # it is just being written
                break
            if message:
                found.append((json.loads(message[1])["id"], digest_of(message[1])))
            elif line.startswith("{"):
                one = json.loads(line)
                expect(not one["problems"], f"the receiver does not like {one['id']}: {one['problems']}")
                found.append((one["id"], one["sha256"]))
    return found


def events_of(db: sqlite3.Connection) -> dict:
    """id -> (number, subject, SHA-256)"""
    db.text_factory = lambda text: text.decode(errors="surrogateescape")  # paths may be any bytes
    rows = db.execute("SELECT id, number, subject, json FROM event")
    return {key: (number, subject, digest_of(text)) for key, number, subject, text in rows}


def sent_to(db: sqlite3.Connection, sink: str) -> set:
    rows = db.execute(
        "SELECT e.id FROM delivery d JOIN event e ON e.number = d.event JOIN sink s ON s.id = d.sink_id"
        " WHERE s.name = ? AND d.state = 'sent'",
        (sink,),
    )
    return {key for (key,) in rows}


def look(sink: str, came: list, events: dict, sent: set) -> tuple:
    """How many events came, and how many more times than once."""
    last: dict = {}
    for key, digest in came:
        expect(key in events, f"{sink}: an event that is not in the database: {key}")
        expect(digest == events[key][2], f"{sink}: {key} came with other bytes")
    first = list(dict.fromkeys(key for key, _ in came))
    for key in first:
        number, subject, _ = events[key]
        expect(last.get(subject, 0) < number, f"{sink}: {key} is out of order for {subject}")
        last[subject] = number
    missing = sorted(sent - set(first))
    expect(not missing, f"{sink}: {len(missing)} are sent and never arrived: {missing[:5]}")
    return len(first), len(came) - len(first)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("database")
    parser.add_argument("sink")
    parser.add_argument("file")
    parser.add_argument("--once", action="store_true")
    args = parser.parse_args()
    db = sqlite3.connect(f"file:{args.database}?mode=ro", uri=True)
    try:
        count, again = look(args.sink, read(args.file), events_of(db), sent_to(db, args.sink))
        expect(not (args.once and again), f"{args.sink}: {again} came again")
    except Wrong as problem:
        print(problem, file=sys.stderr)
        return 1
    print(f"{count} events, {again} again")
    return 0


if __name__ == "__main__":
    sys.exit(main())
