#!/usr/bin/env -S python3 -B
"""Crafts container images and pushes them to a registry, for the tests, the bench and the demo.

Nothing is pulled from anywhere: an image is made from its seed text alone, so pushing the same seed twice gives the
same digest, and another seed moves the tag. Each command prints one JSON object.

    image.py push 127.0.0.1:5000/app:1 --seed A
    image.py push 127.0.0.1:5000/app:1 --seed B --kind index --platform linux/amd64,linux/arm64 --attest x
    image.py digest --seed A                     the digests without a registry
    image.py head 127.0.0.1:5000/app:1           what the tag points to; null when it is gone
    image.py retag 127.0.0.1:5000/app:1 2 latest
    image.py delete 127.0.0.1:5000/app:1         the manifest, and so every tag of app that points to it
    image.py many 127.0.0.1:5000/bench --count 10000 --repos 100 --list refs.txt --builds DIR --files 100
"""

import argparse
import concurrent.futures
import json
import os
import sys
from typing import Optional

from craft import KINDS, Image, Recipe, craft
from registry_client import Access, Reference, Registry, RegistryError

# The registry works on the disk, so a few connections keep both sides busy; more only queue.
PUSHERS = 6


def recipe_of(args) -> Recipe:
    return Recipe(
        seed=args.seed,
        kind=args.kind,
        platforms=args.platform.split(","),
        config_seed=args.config_seed,
        attest_seed=args.attest,
        annotations=dict(pair.split("=", 1) for pair in args.annotation),
        onbuild=args.onbuild,
        depth=args.depth,
    )


def access_of(args) -> Access:
    return Access(is_tls=args.tls or bool(args.cacert), ca_file=args.cacert, user=args.user)


def open_registry(args, text: str) -> tuple:
    found = Reference.parse(text)
    return Registry(found.host, access_of(args)), found


def push(args) -> dict:
    registry, ref = open_registry(args, args.reference)
    image = craft(recipe_of(args))
    registry.push(ref.repository, ref.name, image)
    return {"reference": args.reference, **image.summary()}


def digest(args) -> dict:
    return craft(recipe_of(args)).summary()


def head(args) -> dict:
    registry, ref = open_registry(args, args.reference)
    return {"reference": args.reference, "digest": registry.digest(ref.repository, ref.name)}


def retag(args) -> dict:
    registry, ref = open_registry(args, args.reference)
    found = registry.manifest(ref.repository, ref.name)
    for tag in args.tags:
        registry.put_manifest(ref.repository, tag, found)
    return {"reference": args.reference, "digest": found.digest, "tags": args.tags}


def delete(args) -> dict:
    """By digest, because that is all that the registry can delete."""
    registry, ref = open_registry(args, args.reference)
    found: Optional[str] = ref.name if ":" in ref.name else registry.digest(ref.repository, ref.name)
    if found is None:
        raise RegistryError(f"{args.reference} does not exist")
    registry.delete(ref.repository, found)
    return {"reference": args.reference, "deleted": found}


def names_of(count: int, repos: int) -> list:
    """[(repository suffix, tag)], the tags spread evenly over the repositories."""
    return [(f"r{number % repos:03d}", f"t{number // repos:04d}") for number in range(count)]


def link_tag(storage: str, repository: str, tag: str, digest: str) -> None:
    """What docker-registry's filesystem driver leaves on the disk for a tag, without asking it."""
    place = os.path.join(storage, "docker/registry/v2/repositories", repository, "_manifests/tags", tag)
    for folder in ("current", "index/" + digest.replace(":", "/")):
        os.makedirs(os.path.join(place, folder), exist_ok=True)
        write(os.path.join(place, folder, "link"), digest)


def push_some(args, host: str, image: Image, wanted: dict) -> int:
    """Pushes one image under all the tags of some repositories, over one connection."""
    registry = Registry(host, access_of(args))
    for repository, tags in wanted.items():
        registry.push(repository, tags[0], image)
        for tag in tags[1:]:
            if args.storage:
                link_tag(args.storage, repository, tag, image.top.digest)
            else:
                registry.put_manifest(repository, tag, image.top)
    registry.close()
    return sum(len(tags) for tags in wanted.values())


def many(args) -> dict:
    """The same image under many tags, for the bench."""
    host, _, prefix = args.prefix.partition("/")
    image = craft(recipe_of(args))
    names = [(f"{prefix}/{suffix}", tag) for suffix, tag in names_of(args.count, args.repos)]
    shares: list = [{} for _ in range(PUSHERS)]
    for repository, tag in names:
        number = int(repository.rsplit("/r", 1)[1])
        shares[number % PUSHERS].setdefault(repository, []).append(tag)
    with concurrent.futures.ThreadPoolExecutor(PUSHERS) as pool:
        pushed = sum(pool.map(lambda share: push_some(args, host, image, share), shares))
    references = [f"{host}/{repository}:{tag}" for repository, tag in names]
    if args.list:
        write(args.list, "".join(f"{ref}\n" for ref in references))
    if args.builds:
        write_builds(args.builds, references, args.files)
    return {"prefix": args.prefix, "count": pushed, "digest": image.top.digest}


def build_file(references: list) -> str:
    """A build file that stands on all of these: the last stage must reach each, or it would be no base."""
    copies = "".join(f"COPY --from={ref} /crafted /from/{number}\n" for number, ref in enumerate(references[1:]))
    return f"FROM {references[0]}\n{copies}"


def write_builds(folder: str, references: list, files: int) -> None:
    for number in range(files):
        mine = references[number::files]
        if mine:
            place = os.path.join(folder, f"app{number:04d}")
            os.makedirs(place, exist_ok=True)
            write(os.path.join(place, "Dockerfile"), build_file(mine))


def write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8") as out:
        out.write(text)


def add_recipe(parser) -> None:
    parser.add_argument("--seed", default="A", help="the text everything is made from")
    parser.add_argument("--kind", default="oci", choices=KINDS)
    parser.add_argument("--platform", default="linux/amd64", help="comma separated; a single manifest takes the first")
    parser.add_argument("--config-seed", default="", metavar="TEXT", help="changes the configuration, not the layers")
    parser.add_argument("--attest", default="", metavar="TEXT", help="add attestations made from TEXT to an index")
    parser.add_argument("--annotation", action="append", default=[], metavar="K=V", help="of the top object")
    parser.add_argument("--onbuild", action="append", default=[], metavar="INSTRUCTION")
    parser.add_argument("--depth", type=int, default=2, help="levels of a nested index")


def add_access(parser) -> None:
    parser.add_argument("--tls", action="store_true", help="HTTPS with the CAs of the system")
    parser.add_argument("--cacert", metavar="FILE", help="HTTPS with this CA")
    parser.add_argument("--user", metavar="NAME:PASSWORD")


def parse_args(argv):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb in (push, digest, head, retag, delete, many):
        sub = verbs.add_parser(verb.__name__)
        sub.set_defaults(run=verb)
        if verb in (push, digest, many):
            add_recipe(sub)
        if verb is not digest:
            add_access(sub)
            sub.add_argument("prefix" if verb is many else "reference")
    verbs.choices["retag"].add_argument("tags", nargs="+")
    sub = verbs.choices["many"]
    sub.add_argument("--count", type=int, default=10000)
    sub.add_argument("--repos", type=int, default=100)
    sub.add_argument("--storage", metavar="DIR", help="link the tags in the registry's own folder: ten times as fast")
    sub.add_argument("--list", metavar="FILE", help="write the references, one per line")
    sub.add_argument("--builds", metavar="DIR", help="write build files that name them all")
    sub.add_argument("--files", type=int, default=100, help="how many build files")
    return parser.parse_args(argv)


def main(argv) -> int:
    args = parse_args(argv)
    try:
        print(json.dumps(args.run(args)))
    except (RegistryError, ValueError, OSError) as error:
        print(f"image.py {args.verb}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
