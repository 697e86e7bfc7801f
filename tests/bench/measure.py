#!/usr/bin/env python3
"""Measures a command against a floor, run by run in turn, and prints ratios of their minima as one JSON line.

    measure.py --name sweep --runs 5 --goal cpu=1.5 --goal wall=1.5 A... --vs B...

Shared machines are noisy: a bare time says little, the ratio of two minima from one interleaved run says much.
Output of the commands is thrown away; any exit code below 64 counts as having run.
"""

import argparse
import json
import os
import shlex
import subprocess
import sys


def run_once(usage: str, argv: list, stdin: str) -> dict:
    """One run as a whole process: wall and CPU seconds, peak resident memory in KiB."""
    read_end, write_end = os.pipe()
    with open(stdin, "rb") as source, open(os.devnull, "wb") as sink:
        command = [usage, str(write_end), *argv]
        subprocess.run(command, stdin=source, stdout=sink, stderr=sink, pass_fds=[write_end], check=True)
    os.close(write_end)
    with os.fdopen(read_end) as said:
        wall, cpu, rss, code = said.read().split()
    if int(code) >= 64:
        sys.exit(f"measure: {shlex.join(argv)} ended with {code}")
    return {"wall": float(wall), "cpu": float(cpu), "rss": int(rss)}


def minima(runs: list) -> dict:
    return {key: min(run[key] for run in runs) for key in runs[0]}


def split(argv: list) -> tuple:
    at = argv.index("--vs")
    return argv[:at], argv[at + 1 :]


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--usage", required=True, help="the program made of usage.c")
    parser.add_argument("--name", required=True)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--goal", action="append", default=[], help="KEY=RATIO: at most; KEY>=RATIO: at least")
    parser.add_argument("--before", help="shell command run before each run of A, not measured")
    parser.add_argument("--stdin-vs", default=os.devnull, help="standard input of B")
    parser.add_argument("--scale-vs", type=float, default=1.0, help="B does only 1/SCALE of the work")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    return parser.parse_args()


def judge(goals: list, ratios: dict) -> bool:
    for goal in goals:
        key, at_least, bound = goal.partition(">=") if ">=" in goal else goal.partition("=")
        if (ratios[key] < float(bound)) if at_least == ">=" else (ratios[key] > float(bound)):
            return False
    return True


def main() -> int:
    args = parse()
    ours, floor = split([word for word in args.command if word != "--"])
    runs_ours, runs_floor = [], []
    for _ in range(args.runs):
        if args.before:
            subprocess.run(args.before, shell=True, check=True)
        runs_ours.append(run_once(args.usage, ours, os.devnull))
        runs_floor.append(run_once(args.usage, floor, args.stdin_vs))
    a, b = minima(runs_ours), minima(runs_floor)
    b["wall"], b["cpu"] = b["wall"] * args.scale_vs, b["cpu"] * args.scale_vs
    ratios = {key: round(a[key] / b[key], 2) if b[key] else None for key in a}
    row = {
        "name": args.name,
        "ratio": ratios,
        "goal": args.goal,
        "held": judge(args.goal, ratios),
        "runs": args.runs,
        "ours": {key: round(value, 4) for key, value in a.items()},
        "floor": {key: round(value, 4) for key, value in b.items()},
    }
    print(json.dumps(row), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
