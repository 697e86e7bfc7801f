#!/usr/bin/env -S python3 -B
"""How long 150 good registries take beside 50 that never answer, against the 150 alone: `basewatch check`, in turn.

    hanging.py --runs 5 --work FOLDER PROGRAM

Measured is the time from the start of the program to the last good answer, by the log of the peers (tests/peers/many.py);
then the program is killed: when it gives the others up is a matter of its options. One JSON line with the ratio of the minima.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time

PEERS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "peers", "many.py")
GOOD, EACH_BAD, BASES = 150, 10, 5
BAD = ("silent", "stuck", "mute", "drip", "refuse")
DEADLINE_S = 60


def write_builds(folder: str, hosts: list) -> None:
    for number, host in enumerate(hosts):
        os.makedirs(f"{folder}/{number}")
        with open(f"{folder}/{number}/Dockerfile", "w", encoding="utf-8") as out:
            for tag in range(BASES):
                base = f"{host}/team/app:{tag}"
                out.write(f"COPY --from={base} / /\n" if tag else f"FROM {base}\n")


def mixed(said: dict) -> list:
    """Those that hang come among the others, and first."""
    bad = [host for n in range(EACH_BAD) for host in (said[kind][n] for kind in BAD)]
    every = len(said["good"]) // len(bad)
    hosts = []
    for n, host in enumerate(bad):
        hosts += [host, *said["good"][n * every : (n + 1) * every]]
    return hosts


class Log:
    """The log of the peers from where it was read last."""

    def __init__(self, path: str):
        # pylint: disable-next=consider-using-with
        self.file = open(path, encoding="utf-8")
        self.rest = ""

    def answers(self) -> list:
        """Times of good answers, each with its base."""
        text = self.rest + self.file.read()
        lines = text.split("\n")
        self.rest = lines.pop()
        events = (json.loads(line) for line in lines)
        return [
            (e["time"], e["host"] + e["path"])
            for e in events
            if e["event"] == "request" and e["kind"] == "good" and e["method"] == "HEAD"
        ]


def one_run(args: argparse.Namespace, log: Log, folder: str) -> float:
    log.answers()
    database = f"{args.work}/hanging.db"
    for suffix in ("", "-wal", "-shm"):
        if os.path.exists(database + suffix):
            os.unlink(database + suffix)
    begin = time.time()
    command = [args.program, "check", "--db", database, folder]
    seen: dict = {}
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
        while len(seen) < GOOD * BASES:
            for at, base in log.answers():
                seen.setdefault(base, at)
            if time.time() - begin > DEADLINE_S:
                sys.exit(f"hanging: only {len(seen)} answers in {DEADLINE_S} s")
            time.sleep(0.005)
        child.send_signal(signal.SIGKILL)
    return max(seen.values()) - begin


def main(argv) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--work", required=True)
    parser.add_argument("program")
    args = parser.parse_args(argv)
    path = f"{args.work}/hanging.log"
    counts = [f"--{kind}={EACH_BAD}" for kind in BAD]
    peers = subprocess.Popen([sys.executable, "-B", PEERS, "--log", path, f"--good={GOOD}", *counts], stdout=subprocess.PIPE)
    with peers:
        said = json.loads(peers.stdout.readline())
        write_builds(f"{args.work}/alone", said["good"])
        write_builds(f"{args.work}/beside", mixed(said))
        log, alone, beside = Log(path), [], []
        for _ in range(args.runs):
            beside.append(one_run(args, log, f"{args.work}/beside"))
            alone.append(one_run(args, log, f"{args.work}/alone"))
        peers.terminate()
    ratio = round(min(beside) / min(alone), 2)
    row = {
        "name": f"{GOOD} registries beside {len(BAD) * EACH_BAD} that hang",
        "last_answer_s": {"beside": round(min(beside), 3), "alone": round(min(alone), 3), "ratio": ratio},
        "runs": args.runs,
    }
    print(json.dumps(row), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
