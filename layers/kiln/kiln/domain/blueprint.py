"""The blueprint: what a user writes to describe one image. Keys are fixed by the design."""

from __future__ import annotations

import re
from collections import Counter
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    Field,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)

from kiln.domain.builder import Builder
from kiln.domain.channel import Channel
from kiln.domain.distribution import Distribute, check_keys
from kiln.domain.durations import Duration
from kiln.domain.model import Model, Text, check_depth_and_text, explain, meant
from kiln.domain.naming import check_image_name
from kiln.domain.platforms import PLATFORMS, Family
from kiln.domain.rebuild import Rebuild
from kiln.domain.retention import Lifecycle
from kiln.domain.step import Step
from kiln.domain.windows import Windows
from kiln.errors import InvalidBlueprint

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,48}$")]
LayerPath = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,48}/[a-z0-9._-]{1,48}$")]
ImageId = Annotated[str, StringConstraints(pattern=r"^ami-[0-9a-f]{8,17}$")]
# ec2-bundle-vol: 10,240 MB at most.
LARGEST_BUNDLE_GIB = 10
# EC2 takes 50 tags on an image; Kiln needs six of them.
MOST_TAGS = 44
DEFAULT_IMAGE_NAME = "{blueprint}-{date}-{time}"


def _own_tag(key: str) -> str:
    if key.lower().startswith(("aws:", "kiln:")):
        raise ValueError(f"{key!r} is reserved; a tag may not begin with aws: or kiln:")
    return key


# EC2's own rule for names and values of tags (CreateTags): 128 and 256 characters, no `aws:`
# prefix.
TagKey = Annotated[str, StringConstraints(min_length=1, max_length=128), AfterValidator(_own_tag)]
TagValue = Annotated[str, StringConstraints(max_length=256)]


def known_platform(name: str) -> str:
    if name not in PLATFORMS:
        nearest = meant(name, PLATFORMS)
        raise ValueError(
            f"{name!r} is not a known platform; {nearest}allowed: {', '.join(PLATFORMS)}"
        )
    return name


_DRIVE = re.compile(r"^[A-Za-z]:(\\[^\\/:*?\"<>|\n\r\0]+)+\\?$")


def _removable(path: str) -> str:
    # The document refuses the same again; here the user learns it before anything is launched.
    if _DRIVE.match(path):
        return _removable_on_windows(path)
    plain = path.startswith("/") and not any(c in path for c in "\n\r\0")
    parts = path.removeprefix("/").removesuffix("/").split("/")
    if not plain or any(part in ("", ".", "..") for part in parts):
        raise ValueError(f"{path!r} is not a plain absolute path (no '..', no line breaks)")
    if len(parts) < 2:
        raise ValueError(f"{path!r} is a top-level directory and is never removed")
    return path


def _removable_on_windows(path: str) -> str:
    parts = path[3:].removesuffix("\\").split("\\")
    if any(part in (".", "..") or "~" in part for part in parts):
        raise ValueError(f"{path!r} is not a plain path (no '.', no '..', no short names)")
    if len(parts) < 2:
        raise ValueError(f"{path!r} is a top-level folder and is never removed")
    return path


Removable = Annotated[str, AfterValidator(_removable)]


class Lookup(Model):
    """The newest image of an owner whose name matches (`*` and `?` as in DescribeImages)."""

    owner: Text
    name: Text


# What a base says beside the way to it.
_BESIDE = ("allow_deprecated", "channel")


class Base(Model):
    """Where the bake starts: exactly one of five ways to name an image or an instance. Publishers
    deprecate the images of old platforms; `allow_deprecated` takes such a one all the same. Of a
    `blueprint` the base is the newest image, or the one in its `channel`."""

    parameter: Annotated[str, StringConstraints(pattern=r"^/[A-Za-z0-9_./-]{1,1010}$")] | None = (
        None
    )
    image: ImageId | None = None
    lookup: Lookup | None = None
    blueprint: Name | None = None
    channel: Channel | None = None
    layer: LayerPath | None = None
    allow_deprecated: bool = False

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        ways = [name for name in type(self).model_fields if name not in _BESIDE]
        if sum(getattr(self, name) is not None for name in ways) != 1:
            raise ValueError(f"needs exactly one of {', '.join(ways)}")
        if self.channel and not self.blueprint:
            raise ValueError("channel goes with blueprint, whose image it names")
        return self


class Clean(Model):
    """What the clean-up removes besides its own list, and what it leaves alone."""

    also_remove: tuple[Removable, ...] = ()
    keep: tuple[Removable, ...] = ()


class Verify(Model):
    """The user's own tests, run on a clone of the image."""

    steps: tuple[Step, ...] = ()


class ImageSpec(Model):
    """The image's name ({blueprint}, {version}, {bake}, {date}, {time}), tags and expiry."""

    name: Annotated[str, StringConstraints(min_length=3, max_length=128)] = DEFAULT_IMAGE_NAME
    tags: Annotated[dict[TagKey, TagValue], Field(max_length=MOST_TAGS)] = {}
    deprecate_after: Duration | None = None

    @field_validator("name")
    @classmethod
    def _known_fields(cls, name: str) -> str:
        return check_image_name(name)


class LayerTarget(Model):
    """A layer that takes the image, and how: when it is announced, or when it enters `channel`."""

    layer: LayerPath
    channel: Channel | None = None
    strategy: Literal["add", "replace", "canary", "none"] = "none"


class Blueprint(Model):
    """One image: base, steps, clean-up, tests, targets."""

    kind: Literal["blueprint"]
    name: Name
    description: Annotated[str, StringConstraints(max_length=255)] = ""
    platform: Annotated[str, AfterValidator(known_platform)]
    base: Base
    chef: Literal["11", "12"] | None = None
    root_device: Literal["ebs", "instance-store"] = "ebs"
    builder: Builder = Builder()
    steps: tuple[Step, ...] = ()
    release_lock: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.]{1,32}$")] = "none"
    windows: Windows | None = None
    clean: Clean = Clean()
    verify: Verify = Verify()
    image: ImageSpec = ImageSpec()
    distribute: Distribute = Distribute()
    layers: tuple[LayerTarget, ...] = ()
    rebuild: Rebuild = Rebuild()
    lifecycle: Lifecycle = Lifecycle()
    on_failure: Literal["teardown", "keep"] = "teardown"
    deadline: Duration = "4h"

    @property
    def family(self) -> Family:
        """How this platform keeps its packages."""
        return PLATFORMS[self.platform].family

    @property
    def sysprep(self) -> bool:
        """Whether the image is generalised: on Windows, unless told otherwise."""
        return self.family is Family.WINDOWS and (self.windows or Windows()).sysprep

    @model_validator(mode="after")
    def _keys_agree(self) -> Self:
        if self.windows and self.family is not Family.WINDOWS:
            raise ValueError(f"windows: is only for a Windows platform, not {self.platform}")
        if self.windows and self.windows.password_reference and not self.windows.sysprep:
            raise ValueError(
                "windows.administrator_password: a given password needs sysprep: true; without it "
                "the launch agent sets a random one"
            )
        self._check_paths()
        _refuse_duplicates("steps", [step.name for step in self.steps])
        _refuse_duplicates("verify.steps", [step.name for step in self.verify.steps])
        _refuse_duplicates("layers", [target.layer for target in self.layers])
        for key, steps in (("steps", self.steps), ("verify.steps", self.verify.steps)):
            for number, step in enumerate(steps):
                step.check_family(self.family, f"{key}.{number}")
        self._check_instance_store()
        check_keys(self)
        if self.base.blueprint == self.name:
            raise ValueError("base.blueprint: a blueprint cannot be its own base")
        return self

    def _check_paths(self) -> None:
        windows = self.family is Family.WINDOWS
        for key in ("also_remove", "keep"):
            for path in getattr(self.clean, key):
                if bool(_DRIVE.match(path)) != windows:
                    kind = "a Windows path (C:\\...)" if windows else "a Linux path (/...)"
                    raise ValueError(f"clean.{key}: {path!r} is not {kind}")

    def _check_instance_store(self) -> None:
        if self.root_device == "ebs":
            return
        if self.family is Family.WINDOWS:
            raise ValueError("root_device: Windows images are always EBS; use ebs")
        volume = self.builder.volume
        if volume.kms_key:
            raise ValueError(
                "builder.volume.kms_key: an instance-store image cannot be encrypted; leave it out"
            )
        if volume.size_gib and volume.size_gib > LARGEST_BUNDLE_GIB:
            raise ValueError(
                f"builder.volume.size_gib: {volume.size_gib} is too large; the root of an "
                f"instance-store image is at most {LARGEST_BUNDLE_GIB} GB"
            )


def _refuse_duplicates(key: str, names: list[str]) -> None:
    for name, count in Counter(names).items():
        if count > 1:
            raise ValueError(f"{key}: the name {name!r} is used {count} times; each must be unique")


def blueprint_from(document: Any) -> Blueprint:
    """A blueprint from parsed YAML or JSON. Raises InvalidBlueprint, one line that names the
    key."""
    if not isinstance(document, dict):
        raise InvalidBlueprint(
            "the file is not a blueprint; it must be a mapping with `kind: blueprint`"
        )
    try:
        check_depth_and_text(document)
        return Blueprint.model_validate(document)
    except ValidationError as error:
        raise InvalidBlueprint(explain(error, Blueprint)) from error
    except ValueError as error:
        raise InvalidBlueprint(f"the file {error}") from error
