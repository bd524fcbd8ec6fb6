"""Where an image goes: what a blueprint's `distribute` says, what AWS would refuse of it, and what
has become of it in each Region. Facts of AWS carry their source."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from kiln.domain.channel import Channel
from kiln.domain.model import Model, Text
from kiln.errors import InvalidBlueprint

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kiln.domain.blueprint import Blueprint

Region = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")]
# An Availability Zone is its Region and a letter. Local Zones have longer names, and know no fast
# snapshot restore (EBS User Guide, "Fast snapshot restore", Considerations).
Zone = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[a-z]+)+-\d[a-z]$")]
Account = Annotated[str, StringConstraints(pattern=r"^\d{12}$")]
# EC2 wants ARNs, not ids (EC2 User Guide, "Share an AMI with organizations and organizational
# units"); their form is that of the Organizations API.
Organization = Annotated[
    str,
    StringConstraints(
        pattern=r"^arn:aws[a-z-]*:organizations::\d{12}:organization/o-[a-z0-9]{10,32}$"
    ),
]
OrganizationalUnit = Annotated[
    str,
    StringConstraints(
        pattern=r"^arn:aws[a-z-]*:organizations::\d{12}:ou/o-[a-z0-9]{10,32}"
        r"/ou-[0-9a-z]{4,32}-[a-z0-9]{8,32}$"
    ),
]
# PutParameter: a name alone, or at most 15 levels that each begin with a slash.
ParameterName = Annotated[
    str,
    StringConstraints(
        pattern=r"^([A-Za-z0-9_.-]+|(/[A-Za-z0-9_.-]+){1,15})$", min_length=1, max_length=1010
    ),
]


class RegionTarget(Model):
    """A Region that gets a copy, and the key that encrypts it there."""

    region: Region
    kms_key: Text | None = None


class TemplateTarget(Model):
    """A launch template that gets a version with the image; `region` is the bake's own if it is
    left out. With `default` the version becomes the one that launches use."""

    region: Region | None = None
    id: Annotated[str, StringConstraints(pattern=r"^lt-[0-9a-f]{8,17}$")] | None = None
    # CreateLaunchTemplate: 3 to 128 of these characters.
    name: Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9().\-/_]{3,128}$")] | None = None
    default: bool = False

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.id is None) == (self.name is None):
            raise ValueError("needs exactly one of id, name")
        return self

    @property
    def label(self) -> str:
        """How a message calls it."""
        return self.id or self.name or ""


class FastLaunch(Model):
    """Snapshots of Windows that are kept past Sysprep (EC2 API, EnableFastLaunch): how many, and
    how many instances make them at a time, which EC2 wants to be 6 at least."""

    target_resource_count: Annotated[int, Field(ge=1)] | None = None
    max_parallel: Annotated[int, Field(ge=6)] | None = None


class Distribute(Model):
    """Where the image goes besides the account's own Region, and who may use it. `parameter` names
    the image once it is distributed, `channel_parameters` the one that is in a channel."""

    regions: tuple[RegionTarget, ...] = ()
    accounts: tuple[Account, ...] = ()
    organizations: tuple[Organization, ...] = ()
    organizational_units: tuple[OrganizationalUnit, ...] = ()
    copyable: bool = False
    parameter: ParameterName | None = None
    channel_parameters: dict[Channel, ParameterName] = {}
    launch_templates: tuple[TemplateTarget, ...] = ()
    fast_launch: FastLaunch | None = None
    fast_snapshot_restore: tuple[Zone, ...] = ()

    @property
    def shared(self) -> bool:
        """Whether anybody else may launch it."""
        return bool(self.accounts or self.organizations or self.organizational_units)

    @field_validator("parameter")
    @classmethod
    def _ours(cls, name: str | None) -> str | None:
        # PutParameter: names that begin with "aws" or "ssm" are reserved.
        if name and name.lstrip("/").lower().startswith(("aws", "ssm")):
            raise ValueError(f"{name!r} is reserved by AWS; a name may not begin with aws or ssm")
        return name

    @model_validator(mode="after")
    def _pointers_apart(self) -> Self:
        if "dev" in self.channel_parameters:
            raise ValueError(
                "channel_parameters.dev: an image enters dev as it is announced, and `parameter` "
                "names it already; allowed: staging, prod"
            )
        names = [self.parameter] if self.parameter else []
        for channel, name in self.channel_parameters.items():
            self._ours(name)
            if name in names:
                raise ValueError(
                    f"channel_parameters.{channel}: {name!r} is written for something else too; "
                    "each pointer needs a name of its own"
                )
            names.append(name)
        return self

    def target(self, region: str) -> RegionTarget | None:
        """The copy that a Region gets; None for the bake's own."""
        return next((target for target in self.regions if target.region == region), None)

    def templates_in(self, region: str, own: str) -> tuple[TemplateTarget, ...]:
        """The launch templates of a Region."""
        return tuple(t for t in self.launch_templates if (t.region or own) == region)

    def zones_in(self, region: str) -> tuple[str, ...]:
        """The Availability Zones of a Region in which snapshots are to be restored fast."""
        return tuple(zone for zone in self.fast_snapshot_restore if zone[:-1] == region)


def check_keys(blueprint: Blueprint) -> None:
    """Raise ValueError, naming the key, for what EC2 would refuse whatever Region it is in."""
    wish = blueprint.distribute
    _check_each_once(wish)
    if blueprint.root_device == "instance-store":
        _check_instance_store(wish)
    elif wish.shared:
        _check_shared_keys(blueprint)
    if wish.copyable and not wish.accounts:
        # ModifySnapshotAttribute takes accounts, and no organization (EC2 API).
        raise ValueError("distribute.copyable: names no account; give the ids under accounts")
    if wish.fast_launch and not blueprint.sysprep:
        # EC2 User Guide, "Configure EC2 Fast Launch", Prerequisites.
        raise ValueError(
            "distribute.fast_launch: is for images of Windows made with Sysprep, not for "
            f"{blueprint.platform}" + (" without it" if blueprint.windows else "")
        )


def _check_each_once(wish: Distribute) -> None:
    templates = (f"{template.region or ''} {template.label}" for template in wish.launch_templates)
    lists: dict[str, Iterable[str]] = {
        "regions": (target.region for target in wish.regions),
        "accounts": wish.accounts,
        "organizations": wish.organizations,
        "organizational_units": wish.organizational_units,
        "launch_templates": (label.strip() for label in templates),
        "fast_snapshot_restore": wish.fast_snapshot_restore,
    }
    for key, values in lists.items():
        for value, count in Counter(values).items():
            if count > 1:
                raise ValueError(f"distribute.{key}: {value} is named {count} times; once will do")


def _check_instance_store(wish: Distribute) -> None:
    # EC2 User Guide, "How Amazon EC2 AMI copy works" and "Grant permissions to copy": EC2 would put
    # the parts into a bucket that it makes in the account, where nothing of Kiln's removes them.
    for key in ("regions", "copyable", "fast_snapshot_restore"):
        if getattr(wish, key):
            raise ValueError(
                f"distribute.{key}: an instance-store image has no snapshots and is not copied; "
                "use root_device: ebs, or bake it in that Region"
            )


def _check_shared_keys(blueprint: Blueprint) -> None:
    # Kiln encrypts every root. What is encrypted with the AWS managed key cannot be shared (EC2
    # API, ModifySnapshotAttribute; EC2 User Guide, "Use encryption with EBS-backed AMIs"), and that
    # is the key where none is named.
    keys = {"builder.volume.kms_key": blueprint.builder.volume.kms_key}
    keys |= {f"distribute.regions: {t.region}": t.kms_key for t in blueprint.distribute.regions}
    for where, key in keys.items():
        if key is None or "alias/aws/" in key:
            raise ValueError(
                f"{where}: an image that is shared needs a key of your own here (kms_key); EC2 "
                "does not share what is encrypted with the AWS managed key"
            )


def check_regions(wish: Distribute, own: str, enabled: Iterable[str]) -> None:
    """Raise InvalidBlueprint for a Region that this account cannot use, or that gets no image."""
    for target in wish.regions:
        if target.region == own:
            raise InvalidBlueprint(
                f"distribute.regions: {own} is the bake's own Region and has the image already; "
                "leave it out"
            )
        if _partition(target.region) != _partition(own):
            # EC2 API, CopyImage: cross-partition copies are not supported.
            raise InvalidBlueprint(
                f"distribute.regions: {target.region} is in another partition of AWS than {own}, "
                "and EC2 copies no image across"
            )
    known = set(enabled) if wish.regions else set()
    for target in wish.regions:
        if target.region not in known:
            raise InvalidBlueprint(
                f"distribute.regions: {target.region} is no Region that is enabled in this account"
            )
    _check_places(wish, own)


def _check_places(wish: Distribute, own: str) -> None:
    places = {own, *(target.region for target in wish.regions)}
    for key, label, region in _placed(wish, own):
        if region not in places:
            raise InvalidBlueprint(
                f"distribute.{key}: {label} is in {region}, which gets no image; name it under "
                "distribute.regions"
            )


def _placed(wish: Distribute, own: str) -> Iterator[tuple[str, str, str]]:
    for template in wish.launch_templates:
        yield "launch_templates", template.label, template.region or own
    for zone in wish.fast_snapshot_restore:
        yield "fast_snapshot_restore", zone, zone[:-1]


def _partition(region: str) -> str:
    """The part of AWS that a Region is in, by its name (IAM User Guide, "Identify AWS resources
    with Amazon Resource Names")."""
    for prefix in ("cn-", "us-gov-", "us-iso-", "us-isob-", "eu-isoe-", "us-isof-", "eusc-"):
        if region.startswith(prefix):
            return prefix
    return "aws"


def costs(wish: Distribute) -> tuple[str, ...]:
    """What a distribution adds to the bill, in words. EBS User Guide, "Fast snapshot restore",
    Pricing and billing; EC2 User Guide, "Use EC2 Fast Launch" and "Copy an AMI", costs."""
    found = []
    if wish.regions:
        found.append(
            "each copy: transfer between Regions once, storage of its snapshots from then on"
        )
    if wish.fast_snapshot_restore:
        zones = ", ".join(wish.fast_snapshot_restore)
        found.append(
            f"fast_snapshot_restore: EBS bills each snapshot of the image in {zones} by the "
            "minute, one hour at least, until the snapshot is deleted or restore is switched off"
        )
    if wish.fast_launch:
        found.append(
            "fast_launch: EC2 launches instances to make snapshots, which it keeps in each Region"
        )
    return tuple(found)
