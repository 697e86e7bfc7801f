"""Crafts small, valid container images whose bytes depend on nothing but the text they are made from.

The tests and the demo need images that they can push again later with the same digest, or with another one on
purpose. So there is no clock, no random number and no compressor in here: a layer is a gzip member with one stored
block, because the output of a real compressor changes with its version, and a digest written into an example file
must stay true on every machine.
"""

import dataclasses
import hashlib
import io
import json
import re
import struct
import tarfile
import zlib
from dataclasses import dataclass, field

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
IN_TOTO = "application/vnd.in-toto+json"

MANIFEST_TYPES = (OCI_INDEX, DOCKER_LIST, OCI_MANIFEST, DOCKER_MANIFEST)
KINDS = ("oci", "docker", "index", "list", "nested")

# Any fixed moment does; reproducible builds use such dates too.
CREATED = "2024-01-01T00:00:00Z"
PLATFORM = re.compile(r"([^/()]+)(?:\(([^/()]+)\))?/([^/]+)(?:/([^/]+))?")


@dataclass(frozen=True)
class Blob:
    """Bytes with a media type: a layer, a configuration, a manifest or an index."""

    media_type: str
    data: bytes

    @property
    def digest(self) -> str:
        return "sha256:" + hashlib.sha256(self.data).hexdigest()

    def descriptor(self, **members) -> dict:
        """What a manifest or index says about these bytes; members that are None are left out."""
        found = {"mediaType": self.media_type, "digest": self.digest, "size": len(self.data)}
        found.update({key: value for key, value in members.items() if value is not None})
        return found


@dataclass
class Recipe:
    """What to craft. Two equal recipes give equal bytes."""

    # Of the whole.
    kind: str = "oci"
    platforms: list = field(default_factory=lambda: ["linux/amd64"])
    attest_seed: str = ""  # adds attestation entries to an index; changing it changes the index only
    annotations: dict = field(default_factory=dict)  # of the top manifest or index
    depth: int = 2  # of a nested index
    is_reversed: bool = False  # the entries of the index in the opposite order
    has_platforms: bool = True  # False: the entries do not say which platform they are for
    # Of an image.
    seed: str = "A"
    config_seed: str = ""  # changes the configuration only: the layers stay
    layers: int = 1
    layer_seeds: dict = field(default_factory=dict)  # number of a layer, the lowest is "1" -> what it is made from
    is_recompressed: bool = False  # other bytes of the same layers: their digests differ, their diff_ids do not
    created: str = CREATED
    env: dict = field(default_factory=dict)
    labels: dict = field(default_factory=dict)
    entrypoint: list = field(default_factory=list)
    onbuild: list = field(default_factory=list)
    history: list = field(default_factory=list)  # further steps, without layers
    child_annotations: dict = field(default_factory=dict)  # of the manifest of each child
    entry_annotations: dict = field(default_factory=dict)  # of each child's entry in the index
    # What is different for one platform: its text -> {member: value}; dicts are added, other values replace.
    only: dict = field(default_factory=dict)

    def of(self, platform: str) -> "Recipe":
        """The recipe of the image for one platform."""
        found = dict(self.only.get(platform, {}))
        for name, value in found.items():
            if isinstance(value, dict):
                found[name] = {**getattr(self, name), **value}
        return dataclasses.replace(self, **found)

    def layer_seed(self, number: int) -> str:
        return self.layer_seeds.get(str(number), self.seed)


@dataclass
class Single:
    """One image for one platform."""

    platform: str
    manifest: Blob
    config: Blob
    layers: list

    def summary(self) -> dict:
        return {
            "platform": self.platform,
            "digest": self.manifest.digest,
            "config": self.config.digest,
            "layers": [layer.digest for layer in self.layers],
        }


@dataclass
class Image:
    """A crafted image: its top object, all manifests with the innermost first, and the blobs they name."""

    top: Blob
    manifests: list
    blobs: list
    children: list  # (platform text, Blob) as the index lists them; empty for a single manifest
    singles: list  # what there is to run, whatever lies around it

    def summary(self) -> dict:
        return {
            "digest": self.top.digest,
            "media_type": self.top.media_type,
            "size": len(self.top.data),
            "children": [
                {"platform": name, "digest": blob.digest, "media_type": blob.media_type} for name, blob in self.children
            ],
            "images": [single.summary() for single in self.singles],
        }


def to_json(value) -> bytes:
    """Compact JSON in the order of the members: the bytes are what gets hashed."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=True).encode()


def stored_gzip(data: bytes, mtime: int = 0) -> bytes:
    """A gzip member with one stored block, the same on every machine."""
    if len(data) > 0xFFFF:
        raise ValueError("a crafted layer holds at most 65535 bytes")
    head = b"\x1f\x8b\x08\x00" + struct.pack("<I", mtime) + b"\x00\xff"
    block = b"\x01" + struct.pack("<HH", len(data), len(data) ^ 0xFFFF) + data
    return head + block + struct.pack("<II", zlib.crc32(data), len(data))


def tar_of(name: str, text: str) -> bytes:
    """A tar archive with one small file in it."""
    out = io.BytesIO()
    info = tarfile.TarInfo(name)
    info.size = len(text.encode())
    info.mode = 0o644
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        tar.addfile(info, io.BytesIO(text.encode()))
    return out.getvalue()


def platform_object(text: str) -> dict:
    """`os[(version)]/architecture[/variant]` as the index spells it."""
    found = PLATFORM.fullmatch(text)
    if not found:
        raise ValueError(f"platform {text!r} is not os[(version)]/architecture[/variant]")
    os_name, version, architecture, variant = found.groups()
    members = {"architecture": architecture, "os": os_name, "os.version": version, "variant": variant}
    return {name: value for name, value in members.items() if value is not None}


def layer_name(number: int) -> str:
    return "crafted" if number == 1 else f"crafted-{number}"


def config_bytes(recipe: Recipe, platform: str, diff_ids: list) -> bytes:
    env = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "CRAFTED": recipe.config_seed or recipe.seed,
        **recipe.env,
    }
    inner = {"Env": [f"{name}={value}" for name, value in env.items()]}
    if recipe.entrypoint:
        inner["Entrypoint"] = recipe.entrypoint
    if recipe.labels:
        inner["Labels"] = recipe.labels
    if recipe.onbuild:
        inner["OnBuild"] = recipe.onbuild
    steps = [f"COPY {recipe.layer_seed(n)} /{layer_name(n)}" for n in range(1, recipe.layers + 1)]
    return to_json(
        {
            "created": recipe.created,
            **platform_object(platform),
            "config": inner,
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
            "history": [{"created": recipe.created, "created_by": text} for text in steps]
            + [{"created": recipe.created, "created_by": text, "empty_layer": True} for text in recipe.history],
        }
    )


def tars(recipe: Recipe, platform: str) -> list:
    """The content of each layer."""
    numbers = range(1, recipe.layers + 1)
    return [tar_of(layer_name(n), f"{recipe.layer_seed(n)} {platform}\n") for n in numbers]


def manifest(recipe: Recipe, platform: str, is_docker: bool, annotations: dict) -> Single:
    """One image for one platform."""
    found = tars(recipe, platform)
    mtime = 1 if recipe.is_recompressed else 0
    layers = [Blob(DOCKER_LAYER if is_docker else OCI_LAYER, stored_gzip(tar, mtime)) for tar in found]
    diff_ids = ["sha256:" + hashlib.sha256(tar).hexdigest() for tar in found]
    config = Blob(DOCKER_CONFIG if is_docker else OCI_CONFIG, config_bytes(recipe, platform, diff_ids))
    media_type = DOCKER_MANIFEST if is_docker else OCI_MANIFEST
    body = {
        "schemaVersion": 2,
        "mediaType": media_type,
        "config": config.descriptor(),
        "layers": [layer.descriptor() for layer in layers],
    }
    if annotations:
        body["annotations"] = annotations
    return Single(platform, Blob(media_type, to_json(body)), config, layers)


def attestation(seed: str, subject: Blob) -> tuple:
    """A provenance manifest as BuildKit stores it beside the image it speaks of."""
    statement = {
        "_type": "https://in-toto.io/Statement/v0.1",
        "predicateType": "https://slsa.dev/provenance/v0.2",
        "subject": [{"name": "_", "digest": {"sha256": subject.digest.split(":")[1]}}],
        "predicate": {"builder": {"id": ""}, "buildType": "crafted", "metadata": {"buildInvocationID": seed}},
    }
    layer = Blob(IN_TOTO, to_json(statement))
    config = Blob(
        OCI_CONFIG,
        to_json(
            {
                "architecture": "unknown",
                "os": "unknown",
                "config": {},
                "rootfs": {"type": "layers", "diff_ids": [layer.digest]},
            }
        ),
    )
    body = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": config.descriptor(),
        "layers": [layer.descriptor(annotations={"in-toto.io/predicate-type": statement["predicateType"]})],
    }
    return Blob(OCI_MANIFEST, to_json(body)), [config, layer]


def attestation_entry(blob: Blob, subject: Blob) -> dict:
    return blob.descriptor(
        annotations={
            "vnd.docker.reference.digest": subject.digest,
            "vnd.docker.reference.type": "attestation-manifest",
        },
        platform={"architecture": "unknown", "os": "unknown"},
    )


def index_blob(media_type: str, entries: list, annotations=None) -> Blob:
    body = {"schemaVersion": 2, "mediaType": media_type, "manifests": entries}
    if annotations:
        body["annotations"] = annotations
    return Blob(media_type, to_json(body))


def craft_single(recipe: Recipe) -> Image:
    platform = recipe.platforms[0]
    mine = recipe.of(platform)
    annotations = {**recipe.annotations, **mine.child_annotations}
    single = manifest(mine, platform, recipe.kind == "docker", annotations)
    return Image(single.manifest, [single.manifest], [single.config, *single.layers], [], [single])


def entry(recipe: Recipe, single: Single) -> dict:
    """What the index says about one child."""
    platform = platform_object(single.platform) if recipe.has_platforms else None
    annotations = recipe.of(single.platform).entry_annotations or None
    return single.manifest.descriptor(platform=platform, annotations=annotations)


def craft_index(recipe: Recipe) -> Image:
    """An OCI index or docker manifest list with one entry per platform, attestations after them."""
    is_docker = recipe.kind == "list"
    mine = [(name, recipe.of(name)) for name in recipe.platforms]
    singles = [manifest(own, name, is_docker, own.child_annotations) for name, own in mine]
    manifests = [single.manifest for single in singles]
    blobs = [blob for single in singles for blob in (single.config, *single.layers)]
    found = [(single.platform, single.manifest, entry(recipe, single)) for single in singles]
    for single in singles if recipe.attest_seed else []:
        proof, parts = attestation(recipe.attest_seed, single.manifest)
        manifests.append(proof)
        blobs += parts
        found.append(("unknown/unknown", proof, attestation_entry(proof, single.manifest)))
    if recipe.is_reversed:
        found.reverse()
    top = index_blob(DOCKER_LIST if is_docker else OCI_INDEX, [item[2] for item in found], recipe.annotations)
    return Image(top, manifests + [top], blobs, [item[:2] for item in found], singles)


def craft_nested(recipe: Recipe) -> Image:
    """An index whose only entry is an index, and so on, with the platforms at the bottom."""
    found = craft_index(recipe)
    for _ in range(recipe.depth - 1):
        inner = found.top
        found.top = index_blob(OCI_INDEX, [inner.descriptor()], recipe.annotations)
        found.manifests.append(found.top)
        found.children = [("", inner)]
    return found


def craft(recipe: Recipe) -> Image:
    """The image that a recipe describes."""
    if recipe.kind not in KINDS:
        raise ValueError(f"kind {recipe.kind!r} is not one of {', '.join(KINDS)}")
    unknown = sorted(set(recipe.only) - set(recipe.platforms))
    if unknown:
        raise ValueError(f"there is no image for {', '.join(unknown)}")
    if recipe.kind in ("oci", "docker"):
        return craft_single(recipe)
    return craft_nested(recipe) if recipe.kind == "nested" else craft_index(recipe)
