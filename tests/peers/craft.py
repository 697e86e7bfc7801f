"""Crafts small, valid container images whose bytes depend on nothing but the text they are made from.

The tests and the demo need images that they can push again later with the same digest, or with another one on
purpose. So there is no clock, no random number and no compressor in here: a layer is a gzip member with one stored
block, because the output of a real compressor changes with its version, and a digest written into an example file
must stay true on every machine.
"""

import hashlib
import io
import json
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

    seed: str = "A"
    kind: str = "oci"
    platforms: list = field(default_factory=lambda: ["linux/amd64"])
    config_seed: str = ""  # changes the configuration only: the layers stay
    attest_seed: str = ""  # adds attestation entries to an index; changing it changes the index only
    annotations: dict = field(default_factory=dict)  # of the top manifest or index
    onbuild: list = field(default_factory=list)
    depth: int = 2  # of a nested index


@dataclass
class Image:
    """A crafted image: its top object, all manifests with the innermost first, and the blobs they name."""

    top: Blob
    manifests: list
    blobs: list
    children: list  # (platform text, Blob) as the index lists them; empty for a single manifest

    def summary(self) -> dict:
        return {
            "digest": self.top.digest,
            "media_type": self.top.media_type,
            "size": len(self.top.data),
            "children": [
                {"platform": name, "digest": blob.digest, "media_type": blob.media_type} for name, blob in self.children
            ],
        }


def to_json(value) -> bytes:
    """Compact JSON in the order of the members: the bytes are what gets hashed."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=True).encode()


def stored_gzip(data: bytes) -> bytes:
    """A gzip member with one stored block, the same on every machine."""
    if len(data) > 0xFFFF:
        raise ValueError("a crafted layer holds at most 65535 bytes")
    head = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
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
    """`os/architecture[/variant]` as the index spells it."""
    parts = text.split("/")
    if len(parts) not in (2, 3) or not all(parts):
        raise ValueError(f"platform {text!r} is not os/architecture[/variant]")
    found = {"architecture": parts[1], "os": parts[0]}
    if len(parts) == 3:
        found["variant"] = parts[2]
    return found


def config_bytes(recipe: Recipe, platform: str, diff_id: str) -> bytes:
    inner = {"Env": ["PATH=/usr/local/bin:/usr/bin:/bin", f"CRAFTED={recipe.config_seed or recipe.seed}"]}
    if recipe.onbuild:
        inner["OnBuild"] = recipe.onbuild
    return to_json(
        {
            "created": CREATED,
            **platform_object(platform),
            "config": inner,
            "rootfs": {"type": "layers", "diff_ids": [diff_id]},
            "history": [{"created": CREATED, "created_by": f"COPY {recipe.seed} /crafted"}],
        }
    )


def manifest(recipe: Recipe, platform: str, is_docker: bool, annotations=None) -> tuple:
    """One image for one platform: (manifest, [configuration, layer])."""
    tar = tar_of("crafted", f"{recipe.seed} {platform}\n")
    diff_id = "sha256:" + hashlib.sha256(tar).hexdigest()
    layer = Blob(DOCKER_LAYER if is_docker else OCI_LAYER, stored_gzip(tar))
    config = Blob(DOCKER_CONFIG if is_docker else OCI_CONFIG, config_bytes(recipe, platform, diff_id))
    media_type = DOCKER_MANIFEST if is_docker else OCI_MANIFEST
    body = {
        "schemaVersion": 2,
        "mediaType": media_type,
        "config": config.descriptor(),
        "layers": [layer.descriptor()],
    }
    if annotations:
        body["annotations"] = annotations
    return Blob(media_type, to_json(body)), [config, layer]


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
    top, blobs = manifest(recipe, recipe.platforms[0], recipe.kind == "docker", recipe.annotations)
    return Image(top, [top], blobs, [])


def craft_index(recipe: Recipe) -> Image:
    """An OCI index or docker manifest list with one entry per platform, attestations after them."""
    is_docker = recipe.kind == "list"
    manifests, blobs, entries, children = [], [], [], []
    for platform in recipe.platforms:
        child, parts = manifest(recipe, platform, is_docker)
        manifests.append(child)
        blobs += parts
        entries.append(child.descriptor(platform=platform_object(platform)))
        children.append((platform, child))
    if recipe.attest_seed:
        for _, child in list(children):
            proof, parts = attestation(recipe.attest_seed, child)
            manifests.append(proof)
            blobs += parts
            entries.append(attestation_entry(proof, child))
            children.append(("unknown/unknown", proof))
    top = index_blob(DOCKER_LIST if is_docker else OCI_INDEX, entries, recipe.annotations)
    return Image(top, manifests + [top], blobs, children)


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
    if recipe.kind in ("oci", "docker"):
        return craft_single(recipe)
    return craft_nested(recipe) if recipe.kind == "nested" else craft_index(recipe)
