"""A bake: its plan, its record and the image it ends in."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from kiln.domain.blueprint import Blueprint, blueprint_from
from kiln.domain.distribution import Distribute
from kiln.domain.durations import seconds
from kiln.domain.fit import Fit
from kiln.domain.image import ImageFacts
from kiln.domain.model import Model
from kiln.domain.packages import Contents
from kiln.domain.platforms import Family
from kiln.domain.rebuild import Trigger


class BakeStatus(StrEnum):
    """Where a bake stands. One that is WAITING has not had its turn; one that is SKIPPED would have
    made what is there already, or is of a blueprint that is paused."""

    WAITING = "WAITING"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    SKIPPED = "SKIPPED"


class Seal(StrEnum):
    """How the builder comes to rest, so that an image can be made of it."""

    STOP = "stop"
    SYSPREP = "sysprep"
    RESET = "reset"
    BUNDLE = "bundle"


class Adoption(Model):
    """The layer whose new instance a bake adopts as its builder."""

    stack: str
    layer: str
    chef: str | None = None
    hostname: str


class BakePlan(Model):
    """Everything a bake needs to know, decided before anything is launched."""

    bake: str
    version: int
    document: dict[str, Any]
    base: ImageFacts
    instance_types: tuple[str, ...]
    fits: tuple[Fit, ...] = ()
    subnets: tuple[str, ...] = ()
    image_name: str
    started: datetime
    adoption: Adoption | None = None
    # What its image will be made of; None where that cannot be told.
    fingerprint: str | None = None
    # When its turn came.
    turn: datetime | None = None

    @property
    def blueprint(self) -> Blueprint:
        """The blueprint, parsed again: it was valid when the plan was made."""
        return blueprint_from(self.document)

    @property
    def seal(self) -> Seal:
        """How the builder is sealed: by its platform and its root device."""
        blueprint = self.blueprint
        if blueprint.root_device == "instance-store":
            return Seal.BUNDLE
        if blueprint.family is not Family.WINDOWS:
            return Seal.STOP
        return Seal.SYSPREP if blueprint.sysprep else Seal.RESET

    @property
    def deadline(self) -> datetime:
        """When the bake gives up waiting: its time begins with its turn."""
        return (self.turn or self.started) + timedelta(seconds=seconds(self.blueprint.deadline))


class Skipped(Model):
    """Why a bake made nothing, and the image that it would have made once more."""

    reason: str
    image: str | None = None


class BakeRecord(Model):
    """A bake as it is kept. Written by PlanBake, ended by Teardown; `revision` counts its
    writes."""

    plan: BakePlan
    status: BakeStatus = BakeStatus.RUNNING
    image: str | None = None
    error: str | None = None
    cause: str | None = None
    state: str | None = None
    ended: datetime | None = None
    trigger: Trigger = Trigger.MANUAL
    # The name of its execution, where that is not the bake's id.
    execution: str = ""
    skipped: Skipped | None = None
    revision: int = 0


class ImageRecord(Model):
    """An image that a bake made; complete before the image is announced."""

    id: str
    name: str
    bake: str
    blueprint: str
    version: int
    platform: str
    architecture: str
    root_device: str
    base: str
    region: str
    created: datetime
    release: str = ""
    manifest: str = ""
    sbom: str = ""
    contents: Contents | None = None
    layers: tuple[str, ...] = ()
    # When the bus was told; until then nothing is rolled out.
    announced: datetime | None = None
    # Where it goes if no longer where its bake's blueprint said.
    distribute: Distribute | None = None
    # What it is made of; None where that could not be told, or was not kept yet.
    fingerprint: str | None = None
    # When it was deleted in the last of its Regions; the record stays, for what was made from it.
    retired: datetime | None = None
