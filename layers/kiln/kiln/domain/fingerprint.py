"""What an image is made of, in one hash: two bakes of the same hash would make the same image.

Of a blueprint's keys these count, because they reach the image or what is proved of it:

- `platform`, `chef`, `release_lock`, `windows`, `clean`: parameters of the documents that run;
- `steps`: what they do and with what, in their order. Not their names and timeouts, which only
  messages and waits know;
- `verify`: does not reach the image, but an image is only as good as the tests that it has passed;
- `root_device`, `builder.volume`: the image's block device mapping is the builder's;
- `image.name`, `image.tags`: an image has them.

These do not:

- `kind`, `name`: the same for all of a blueprint's images; `description` is for readers;
- `base`: the image that it stands for counts, by its id;
- `builder.instance_types`, `builder.subnets`: where it is made. The base decides the architecture;
- `image.deprecate_after`, `distribute`, `layers`: what becomes of an image, which `kiln distribute`
  and `kiln rollout` change without a bake;
- `rebuild`, `on_failure`, `deadline`, `lifecycle`: when bakes run and how they end.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import unquote, urlsplit

from kiln.domain.documents import (
    for_clean,
    for_inspect,
    for_prepare,
    for_seal,
    for_step,
    for_verify,
)
from kiln.domain.platforms import Family

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kiln.domain.app import AppSource
    from kiln.domain.blueprint import Blueprint
    from kiln.domain.step import Step

_COUNTS = {
    "platform": True,
    "chef": True,
    "root_device": True,
    "release_lock": True,
    "windows": True,
    "clean": True,
    "builder": {"volume"},
    "image": {"name", "tags"},
}
_COMMIT = re.compile(r"^[0-9a-f]{40}$")
# How aws:downloadContent is told a commit (SSM User Guide, "Running scripts from GitHub").
_COMMIT_OPTION = re.compile(r"^\s*commitID\s*:\s*[0-9a-f]{40}\s*$")
# S3's addresses, with the bucket before or in the path (S3 User Guide, "Virtual hosting").
_S3_HOST = re.compile(
    r"^(?:(?P<bucket>[a-z0-9.-]+)\.)?s3(?:[.-][a-z0-9-]+)*\.amazonaws\.com(?:\.cn)?$"
)


@dataclass(frozen=True)
class Origin:
    """Something that a bake reads from elsewhere: a document, Kiln's own by its short name, or
    content in S3 (`s3://bucket/key`). `unseen` is a place that Kiln does not look into."""

    kind: Literal["own", "document", "s3", "unseen"]
    name: str
    label: str


def fingerprint(base: str, blueprint: Blueprint, traces: Mapping[Origin, str]) -> str:
    """The hash; `traces` tells of each origin what it holds."""
    essence = {
        "base": base,
        "blueprint": blueprint.model_dump(mode="json", include=_COUNTS),  # type: ignore[arg-type]
        "steps": [_essence(step) for step in blueprint.steps],
        "tests": [_essence(step) for step in blueprint.verify.steps],
        "origins": sorted([o.kind, o.name, trace] for o, trace in traces.items()),
    }
    text = json.dumps(essence, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _essence(step: Step) -> dict[str, Any]:
    return step.model_dump(mode="json", exclude={"name", "timeout"}, exclude_none=True)


def origins_of(blueprint: Blueprint) -> tuple[Origin, ...]:
    """Everything that a bake of the blueprint reads from elsewhere, each once."""
    found = [*_documents(blueprint), *_sources(blueprint)]
    if blueprint.base.layer:
        layer = f"a new instance of layer {blueprint.base.layer}, made by the layer's recipes"
        found.append(Origin("unseen", blueprint.base.layer, f"base.layer: {layer}"))
    return tuple({(origin.kind, origin.name): origin for origin in found}.values())


def _documents(blueprint: Blueprint) -> Iterator[Origin]:
    windows = blueprint.family is Family.WINDOWS
    calls = [for_prepare(blueprint), for_clean(blueprint, ""), for_verify(blueprint, "")]
    if windows:
        calls += [for_inspect(blueprint), for_seal(blueprint)]
    for step in (*blueprint.steps, *blueprint.verify.steps):
        calls.append(for_step(step, "" if step.script else None, windows))
    for call in calls:
        kind: Literal["own", "document"] = "own" if call.ours else "document"
        yield Origin(kind, call.name, f"document {call.name}")
    if blueprint.root_device == "instance-store":
        yield Origin("own", "bundle-linux", "document bundle-linux")


def _sources(blueprint: Blueprint) -> Iterator[Origin]:
    for key, steps in (("steps", blueprint.steps), ("verify.steps", blueprint.verify.steps)):
        for step in steps:
            origin = _source(step, f"{key}: {step.name!r}")
            if origin:
                yield origin


def _source(step: Step, label: str) -> Origin | None:
    """Where a step's content lies; None for what the blueprint itself holds or pins."""
    if step.script:
        return None if step.script.version else Origin("s3", step.script.s3, label)
    if step.app:
        return _app(step.app.source, label)
    tool = step.chef or step.ansible
    return _tool(tool.source, label) if tool else None


def _app(source: AppSource, label: str) -> Origin | None:
    if source.type == "s3":
        return None if source.version else Origin("s3", source.url or "", label)
    if source.type == "git" and not _COMMIT.match(source.revision or ""):
        name = f"{source.repository} {source.revision}"
        return Origin("unseen", name, f"{label}: {source.revision!r} is no commit")
    # A commit and a hash are their content.
    return None


def _tool(source: Mapping[str, Any], label: str) -> Origin | None:
    """A SourceInfo of aws:downloadContent (SSM User Guide, "Command document plugin reference")."""
    uri = _uri(str(source.get("path", ""))) if source.get("type", "S3") == "S3" else None
    if uri:
        return Origin("s3", uri, label)
    if _COMMIT_OPTION.match(str(source.get("getOptions", ""))):
        return None
    where = json.dumps(source, sort_keys=True, default=str)
    return Origin("unseen", where, f"{label}: its source pins no commit and is not in S3")


def _uri(address: str) -> str | None:
    """`s3://bucket/key` of an https address of S3, None for any other."""
    if address.startswith("s3://"):
        return address
    parts = urlsplit(address)
    host = _S3_HOST.match(parts.netloc)
    path = unquote(parts.path).removeprefix("/")
    if not host or not path:
        return None
    return f"s3://{host['bucket']}/{path}" if host["bucket"] else f"s3://{path}"
