#!/usr/bin/env python3
"""validate_json.py - is a JSON document what its schema promises?

    tests/validate_json.py SCHEMA [FILE...]      each FILE, or standard input
    tests/validate_json.py --schema SCHEMA...    is each SCHEMA itself a valid and strict schema?

Prints one line per problem. Exit status: 0 fine, 1 not, 2 wrong use.
"""
import json
import sys

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError


def no_duplicates(pairs):
    """Two members with one name are valid JSON, and a trap for every reader."""
    names = [name for name, _ in pairs]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise ValueError(f"member {', '.join(sorted(twice))} is there twice")
    return dict(pairs)


def load(text):
    return json.loads(text, object_pairs_hook=no_duplicates)


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def place(path):
    return "$" + "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path)


def problems_of(schema, text):
    try:
        document = load(text)
    except ValueError as e:
        return [f"not JSON: {e}"]
    if not text.endswith("\n"):
        return ["does not end with a line feed"]
    errors = sorted(Draft202012Validator(schema).iter_errors(document), key=lambda e: list(map(str, e.absolute_path)))
    return [f"{place(e.absolute_path)}: {e.message}" for e in errors]


def loose_objects(node, path=()):
    """Objects of a schema that would accept a member that they do not describe, or one without a word about it."""
    if isinstance(node, dict):
        if node.get("type") == "object":
            members = node.get("properties", {})
            # An object is closed, or is a map: any names, and a word on what each of them holds.
            is_map = not members and isinstance(node.get("additionalProperties"), dict)
            if not is_map and node.get("additionalProperties") is not False:
                yield f"{place(path)}: additionalProperties is not false"
            if sorted(node.get("required", [])) != sorted(members):
                yield f"{place(path)}: not every member is required"
            for name, member in members.items():
                if "description" not in member and "$ref" not in member:
                    yield f"{place(path)}.{name}: has no description"
        for name, child in node.items():
            yield from loose_objects(child, (*path, name))
    elif isinstance(node, list):
        for i, child in enumerate(node):
            yield from loose_objects(child, (*path, i))


def problems_of_schema(text):
    try:
        schema = load(text)
        Draft202012Validator.check_schema(schema)
    except ValueError as e:
        return [f"not JSON: {e}"]
    except SchemaError as e:
        return [f"{place(e.absolute_path)}: {e.message}"]
    return list(loose_objects(schema))


def main(args):
    if not args or (args[0] == "--schema" and len(args) < 2):
        print(__doc__.strip(), file=sys.stderr)
        return 2
    if args[0] == "--schema":
        found = [f"{path}: {p}" for path in args[1:] for p in problems_of_schema(read(path))]
    else:
        schema = load(read(args[0]))
        texts = [(path, read(path)) for path in args[1:]] or [("standard input", sys.stdin.read())]
        found = [f"{name}: {p}" for name, text in texts for p in problems_of(schema, text)]
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
