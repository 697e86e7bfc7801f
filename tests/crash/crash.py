"""Kills `basewatch check` at random moments and looks whether the database still tells the truth.

In each run some tags move, a check is started and killed -9 after a random time, often in the middle of a write, and
a whole check follows. Then: the database is sound, every base has the digest that the registry has, its sightings are
numbered without a gap and no two neighbours are equal, there is one change for each sighting but the first, of the
class that it has, every body that it took was kept whole, and what is outstanding says exactly whether the digest that
a build stands on is the current one.
"""

import argparse
import os
import random
import sqlite3
import subprocess
import sys
import time

from craft import Image, Recipe, craft
from registry_client import Access, Registry

BASES = 24
PLATFORMS = ["linux/amd64", "linux/arm64"]
# Two contents, each with the attestations of two builds, and a third.
IMAGES = [("A", "x"), ("A", "y"), ("B", "x"), ("B", "y"), ("C", "x")]


class Scene:
    """A registry with tags, and build files that stand on them."""

    def __init__(self, args):
        self.args = args
        self.random = random.Random(args.seed)
        self.registry = Registry(args.registry, Access())
        recipes = [Recipe(kind="index", platforms=PLATFORMS, seed=seed, attest_seed=proof) for seed, proof in IMAGES]
        self.images = [craft(recipe) for recipe in recipes]
        self.content = {image.top.digest: seed for image, (seed, _) in zip(self.images, IMAGES)}
        self.database = os.path.join(args.folder, "state.db")
        self.source = os.path.join(args.folder, "src")
        self.digests: dict = {}  # tag -> digest, as the registry has it

    def prepare(self) -> None:
        for image in self.images:
            self.registry.push_parts("app", image)
        for n in range(BASES):
            self.move(f"t{n}", self.images[0])
            folder = os.path.join(self.source, str(n % 6))
            os.makedirs(folder, exist_ok=True)
            with open(os.path.join(folder, f"Dockerfile.{n}"), "w", encoding="ascii") as out:
                out.write(self.build_file(n))

    def build_file(self, n: int) -> str:
        return f"FROM {self.args.registry}/app:t{n}\n"

    def move(self, tag: str, image: Image) -> None:
        self.registry.put_manifest("app", tag, image.top)
        self.digests[tag] = image.top.digest

    def move_some(self) -> None:
        for tag in self.random.sample(sorted(self.digests), self.random.randrange(BASES // 2)):
            self.move(tag, self.random.choice(self.images))

    def class_of(self, seen: list, number: int) -> str:
        """What the change that led to sighting `number` has to be, by the digests of all sightings."""
        old, new = seen[number - 2], seen[number - 1]
        if self.content[old] == self.content[new]:
            return "index"
        return "rollback" if new in seen[: number - 1] else "content"

    def start(self) -> subprocess.Popen:
        command = [self.args.program, "check", "--db", self.database, "--fail-on", "none", self.source]
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
        return subprocess.Popen(command, **quiet)

    def check(self) -> float:
        """A whole check; how long it took."""
        start = time.monotonic()
        child = self.start()
        _, talk = child.communicate(timeout=60)
        if child.returncode != 0:
            raise AssertionError(f"check ended with {child.returncode}: {talk.decode(errors='replace')}")
        return time.monotonic() - start

    def check_killed(self, within_s: float) -> None:
        child = self.start()
        time.sleep(self.random.uniform(0, within_s))
        child.kill()
        child.communicate()


def expect(holds: bool, what: str) -> None:
    if not holds:
        raise AssertionError(what)


def look_at_bodies(db: sqlite3.Connection) -> None:
    """A manifest is there with all that belongs to it, or not at all."""
    found = db.execute(
        "SELECT m.kind, count(DISTINCT c.ordinal), count(DISTINCT l.ordinal), m.config IS NOT NULL FROM manifest m"
        " LEFT JOIN manifest_child c ON c.manifest = m.digest LEFT JOIN manifest_layer l ON l.manifest = m.digest"
        " GROUP BY m.digest"
    )
    for kind, children, layers, has_config in found:
        whole = (2 * len(PLATFORMS), 0, 0) if kind == "index" else (0, 1, 1)
        expect((children, layers, has_config) == whole, f"an {kind} was kept in part")


def look(scene: Scene) -> None:
    """Raises where the database does not tell the truth."""
    db = sqlite3.connect(scene.database)
    expect(db.execute("PRAGMA integrity_check").fetchone()[0] == "ok", "the database is damaged")
    expect(not db.execute("PRAGMA foreign_key_check").fetchall(), "a row refers to nothing")
    bases = db.execute(
        "SELECT b.id, b.tag, x.digest FROM base b"
        " LEFT JOIN poll p ON p.base_id = b.id LEFT JOIN sighting x ON x.id = p.sighting_id"
    ).fetchall()
    expect({tag: digest for _, tag, digest in bases} == scene.digests, "a digest is not what the registry has")
    for base, tag, digest in bases:
        rows = db.execute("SELECT number, digest FROM sighting WHERE base_id = ? ORDER BY number", (base,)).fetchall()
        numbers, seen = [row[0] for row in rows], [row[1] for row in rows]
        expect(numbers == list(range(1, len(rows) + 1)), f"{tag}: the sightings have a gap: {numbers}")
        expect(seen[-1] == digest, f"{tag}: the last sighting is not the current digest")
        expect(all(a != b for a, b in zip(seen, seen[1:])), f"{tag}: a sighting that changed nothing")
        changes = db.execute("SELECT number, class FROM change WHERE base_id = ? ORDER BY number", (base,)).fetchall()
        expect([row[0] for row in changes] == numbers[1:], f"{tag}: sightings and changes do not agree")
        for number, kind in changes:
            wanted = scene.class_of(seen, number)
            expect(kind == wanted, f"{tag}: change {number} is {wanted}, not {kind}")
        for handled, since, closed, evidence in db.execute(
            "SELECT handled, stale_since, closed_at, evidence FROM outstanding WHERE base_id = ?", (base,)
        ):
            expect(handled in seen, f"{tag}: a build stands on a digest that was never seen")
            expect(since is None or handled != digest, f"{tag}: outstanding on the digest that the tag has")
            expect(handled == digest or since is not None or evidence is not None, f"{tag}: neither outstanding nor known to be the same")
            expect((closed is None) == (evidence is None), f"{tag}: closed without evidence, or the reverse")
            expect(since is None or evidence is None, f"{tag}: outstanding, and closed by evidence")
    look_at_bodies(db)
    db.close()


def parser_of(description) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("program", "registry", "folder"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--seed", type=int, required=True)
    return parser


def main() -> int:
    args = parser_of(__doc__).parse_args()
    scene = Scene(args)
    scene.prepare()
    print(f"seed {args.seed}", flush=True)
    scene.check_killed(0.05)  # while the database is made
    took = scene.check()
    for run in range(args.runs):
        scene.move_some()
        scene.check_killed(took * 1.2)
        took = scene.check()
        try:
            look(scene)
        except AssertionError as problem:
            print(f"run {run + 1} of seed {args.seed}: {problem}", file=sys.stderr)
            return 1
    print(f"{args.runs} kills, nothing lost")
    return 0


if __name__ == "__main__":
    sys.exit(main())
