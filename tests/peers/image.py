#!/usr/bin/env -S python3 -B
"""Crafts container images and pushes them to a registry, for the tests, the bench and the demo.

Nothing is pulled from anywhere: an image is made from its seed text alone, so pushing the same seed twice gives the
same digest, and another seed moves the tag. Each command prints one JSON object.

    image.py push 127.0.0.1:5000/app:1 --seed A
    image.py push 127.0.0.1:5000/app:1 --seed B --kind index --platform linux/amd64,linux/arm64 --attest x
    image.py push 127.0.0.1:5000/app:1 --kind index --platform linux/amd64,linux/arm64 --layers 3 \\
      --for linux/arm64 --layer-seed 2=B --label version=2      what comes after --for is so for that platform only
    image.py digest --seed A                     the digests without a registry
    image.py head 127.0.0.1:5000/app:1           what the tag points to; null when it is gone
    image.py retag 127.0.0.1:5000/app:1 2 latest
    image.py delete 127.0.0.1:5000/app:1         the manifest, and so every tag of app that points to it
    image.py delete 127.0.0.1:5000/app@sha256:…  a child of an index; with --blob a configuration or a layer
    image.py many 127.0.0.1:5000/bench --count 10000 --repos 100 --list refs.txt --builds DIR --files 100

What can be different in an image:
    other layers, or one of several                 --seed, --layer-seed 2=B with --layers 3
    the same layers, compressed otherwise           --recompress
    the same layers under another configuration     --config-seed, --env, --label, --entrypoint, --history, --onbuild
    only the dates                                  --created 2024-02-01T00:00:00Z
    annotations of the top object, of the children's manifests, of their entries
                                                    --annotation, --child-annotation, --entry-annotation
    an index around the same images                 --attest, --platform, --reverse, --no-platforms, --kind, --depth
"""

import argparse
import concurrent.futures
import dataclasses
import json
import os
import sys
from typing import Optional

from craft import KINDS, Recipe, craft
from registry_client import Access, Reference, Registry, RegistryError
from registry_storage import Storage

# The registry works on the disk, so a few connections keep both sides busy; more only queue.
PUSHERS = 6


# Options whose value is K=V, and may be given again; and those that are a list.
PAIRS = ("layer_seeds", "env", "labels", "annotations", "child_annotations", "entry_annotations")
RECIPE = {field.name for field in dataclasses.fields(Recipe)}


def members_of(args) -> dict:
    """The members of a recipe that these options name."""
    found = {name: value for name, value in vars(args).items() if name in RECIPE}
    for name in PAIRS:
        if name in found:
            found[name] = dict(pair.split("=", 1) for pair in found[name])
    if "platforms" in found:
        found["platforms"] = found["platforms"].split(",")
    return found


def recipe_of(args) -> Recipe:
    return Recipe(**members_of(args))


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
    registry.delete(ref.repository, found, "blobs" if args.blob else "manifests")
    return {"reference": args.reference, "deleted": found}


def names_of(count: int, repos: int) -> list:
    """[(repository suffix, tag)], the tags spread evenly over the repositories."""
    return [(f"r{number % repos:03d}", f"t{number // repos:04d}") for number in range(count)]


def push_some(args, host: str, recipe: Recipe, wanted: dict) -> int:
    """Pushes one image under all the tags of some repositories, over one connection; or one for each tag."""
    registry = Registry(host, access_of(args))
    storage = Storage(args.storage) if args.storage else None
    shared = craft(recipe)
    for repository, tags in wanted.items():
        for tag in tags:
            image = craft(distinct(recipe, f"{repository}:{tag}")) if args.distinct else shared
            if storage:
                storage.put(repository, tag, image)
            elif args.distinct or tag == tags[0]:
                registry.push(repository, tag, image)
            else:
                registry.put_manifest(repository, tag, image.top)
    registry.close()
    return sum(len(tags) for tags in wanted.values())


def distinct(recipe: Recipe, name: str) -> Recipe:
    return dataclasses.replace(recipe, seed=f"{recipe.seed} {name}")


def many(args) -> dict:
    """The same image under many tags, or one for each, for the bench."""
    host, _, prefix = args.prefix.partition("/")
    recipe = recipe_of(args)
    names = [(f"{prefix}/{suffix}", tag) for suffix, tag in names_of(args.count, args.repos)]
    shares: list = [{} for _ in range(PUSHERS)]
    for repository, tag in names:
        number = int(repository.rsplit("/r", 1)[1])
        shares[number % PUSHERS].setdefault(repository, []).append(tag)
    with concurrent.futures.ThreadPoolExecutor(PUSHERS) as pool:
        pushed = sum(pool.map(lambda share: push_some(args, host, recipe, share), shares))
    references = [f"{host}/{repository}:{tag}" for repository, tag in names]
    if args.list:
        write(args.list, "".join(f"{ref}\n" for ref in references))
    if args.builds:
        write_builds(args.builds, references, args.files)
    return {"prefix": args.prefix, "count": pushed, "digest": None if args.distinct else craft(recipe).top.digest}


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


def add_whole(parser) -> None:
    """What is decided once for an image, all platforms together."""
    parser.add_argument("--kind", choices=KINDS)
    parser.add_argument("--platform", dest="platforms", metavar="P,P", help="a single manifest takes the first")
    parser.add_argument("--attest", dest="attest_seed", metavar="TEXT", help="add attestations made from TEXT")
    parser.add_argument("--annotation", dest="annotations", action="append", metavar="K=V", help="of the top object")
    parser.add_argument("--depth", type=int, help="levels of a nested index")
    parser.add_argument("--reverse", dest="is_reversed", action="store_true", help="the entries of an index")
    parser.add_argument(
        "--no-platforms", dest="has_platforms", action="store_false", help="entries that name no platform"
    )


def add_single(parser) -> None:
    """What may differ from platform to platform."""
    parser.add_argument("--seed", help="the text everything is made from; A")
    parser.add_argument("--config-seed", metavar="TEXT", help="changes the configuration, not the layers")
    parser.add_argument("--layers", type=int, metavar="N", help="how many; 1")
    parser.add_argument("--layer-seed", dest="layer_seeds", action="append", metavar="N=TEXT", help="1: the lowest")
    parser.add_argument("--recompress", dest="is_recompressed", action="store_true", help="other bytes, same content")
    parser.add_argument("--created", metavar="DATE", help="of the configuration and its history")
    parser.add_argument("--env", action="append", metavar="K=V")
    parser.add_argument("--label", dest="labels", action="append", metavar="K=V")
    parser.add_argument("--entrypoint", action="append", metavar="WORD")
    parser.add_argument("--onbuild", action="append", metavar="INSTRUCTION")
    parser.add_argument("--history", action="append", metavar="STEP", help="a step without a layer")
    for what in ("child", "entry"):
        parser.add_argument(f"--{what}-annotation", dest=f"{what}_annotations", action="append", metavar="K=V")


def no_defaults(**keywords) -> argparse.ArgumentParser:
    """Only what was given comes out: the defaults are those of the Recipe."""
    return argparse.ArgumentParser(argument_default=argparse.SUPPRESS, **keywords)


def split_only(argv: list) -> tuple:
    """(options before the first --for, {platform: what its options say})."""
    places = [at for at, word in enumerate(argv) if word == "--for"] + [len(argv)]
    parser = no_defaults(prog="image.py … --for PLATFORM", add_help=False)
    add_single(parser)
    only: dict = {}
    for start, end in zip(places, places[1:]):
        if start + 1 == end:
            parser.error("which platform?")
        only.setdefault(argv[start + 1], {}).update(members_of(parser.parse_args(argv[start + 2 : end])))
    return argv[: places[0]], only


def add_access(parser) -> None:
    parser.add_argument("--tls", action="store_true", help="HTTPS with the CAs of the system")
    parser.add_argument("--cacert", metavar="FILE", help="HTTPS with this CA")
    parser.add_argument("--user", metavar="NAME:PASSWORD")


def parse_args(argv):
    argv, only = split_only(argv)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True, parser_class=no_defaults)
    for verb in (push, digest, head, retag, delete, many):
        sub = verbs.add_parser(verb.__name__)
        sub.set_defaults(run=verb, tls=False, cacert=None, user=None, only=only)
        if verb in (push, digest, many):
            add_whole(sub)
            add_single(sub)
        if verb is not digest:
            add_access(sub)
            sub.add_argument("prefix" if verb is many else "reference")
    verbs.choices["retag"].add_argument("tags", nargs="+")
    verbs.choices["delete"].add_argument("--blob", action="store_true", default=False)
    add_many(verbs.choices["many"])
    args = parser.parse_args(argv)
    if only and args.run not in (push, digest, many):
        parser.error(f"--for means nothing to {args.verb}")
    return args


def add_many(parser) -> None:
    parser.set_defaults(list=None, builds=None, storage=None, distinct=False)
    parser.add_argument("--count", type=int, default=10000)
    parser.add_argument("--repos", type=int, default=100)
    parser.add_argument("--distinct", action="store_true", help="an image of its own for each tag")
    parser.add_argument("--storage", metavar="DIR", help="write into the registry's own folder: ten times as fast")
    parser.add_argument("--list", metavar="FILE", help="write the references, one per line")
    parser.add_argument("--builds", metavar="DIR", help="write build files that name them all")
    parser.add_argument("--files", type=int, default=100, help="how many build files")


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
