#!/usr/bin/env python3
"""How long from the answer that has a new digest to the event that tells of it? Prints one JSON line.

    latency.py ANSWERS EVENTS

ANSWERS: "SECONDS METHOD DIGEST" of each answer of a registry. EVENTS: "SECONDS EVENT" as they arrived.
"""

import json
import statistics
import sys


def first_seen(path: str) -> dict:
    seen: dict = {}
    with open(path, encoding="utf-8") as answers:
        for line in answers:
            at, method, digest = line.split()
            if method == "HEAD":
                seen.setdefault(digest, float(at))
    return seen


def arrivals(path: str, kind: str, seen: dict) -> list:
    """Milliseconds for each event of that type."""
    found = []
    with open(path, encoding="utf-8") as events:
        for line in events:
            at, text = line.split(" ", 1)
            event = json.loads(text)
            if event["type"] != f"io.basewatch.{kind}":
                continue
            data = event["data"] if kind == "base.changed" else event["data"]["bases"][0]
            found.append((float(at) - seen[data["to"]]) * 1000)
    return found


def main() -> int:
    seen = first_seen(sys.argv[1])
    for kind in ("base.changed", "rebuild.requested"):
        ms = arrivals(sys.argv[2], kind, seen)
        latency = {"median": round(statistics.median(ms), 1), "longest": round(max(ms), 1)}
        row = {"name": f"from the poll to the subscriber: {kind}", "moves": len(ms), "latency_ms": latency}
        print(json.dumps(row), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
