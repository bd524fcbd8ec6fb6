"""`kiln distribute`: start the distribution of an image again, wait, say where the image is."""

from __future__ import annotations

import json
import secrets
from typing import Any

from kiln.adapters._errors import translated
from kiln.domain.bake import ImageRecord
from kiln.domain.model import Model
from kiln.domain.place import ImagePlace
from kiln.errors import InvalidBlueprint
from kiln.ports import World
from kiln.steps._bakes import plan_of
from kiln.steps._distribution import wish_of
from kiln_cli import history
from kiln_cli.baking import Pace
from kiln_cli.place import Place


class Distributed(Model):
    """How a distribution ended, `status` as Step Functions names it, and where the image is."""

    image: str
    execution: str
    status: str
    error: str | None
    cause: str | None
    places: tuple[ImagePlace, ...]


def recorded(image: str, world: World) -> ImageRecord:
    """An image that Kiln made. InvalidBlueprint for any other."""
    record = world.records.image(image)
    if record is None:
        raise InvalidBlueprint(
            f"{image}: is no image that Kiln has made here; `kiln images` lists them"
        )
    return record


def start(record: ImageRecord, regions: tuple[str, ...], newest: bool, place: Place) -> str:
    """Start an execution; its ARN. Two at a time are harmless: the second finds what the first
    made."""
    asked: dict[str, Any] = {"image": record.id, "regions": list(regions)}
    if newest:
        asked["version"] = _newest(record, place.world)
    else:
        _check(record, regions, place.world)
    with translated("states", "StartExecution"):
        answer = place.client("stepfunctions").start_execution(
            stateMachineArn=place.distribution_machine,
            name=f"{record.id}-{secrets.token_hex(4)}",
            input=json.dumps(asked),
        )
    return str(answer["executionArn"])


def _check(record: ImageRecord, regions: tuple[str, ...], world: World) -> None:
    """Refuse here what PlanDistribution would refuse."""
    wish = wish_of(record, plan_of(record.bake, world))
    every = (record.region, *(target.region for target in wish.regions))
    for region in regions:
        if region not in every:
            raise InvalidBlueprint(
                f"--region: {record.id} does not go to {region}; it goes to {', '.join(every)}. A "
                "newer version of its blueprint may say more: apply it, then take --newest"
            )


def _newest(record: ImageRecord, world: World) -> int:
    stored = world.versions.get(record.blueprint)
    if stored is None:
        raise InvalidBlueprint(
            f"{record.blueprint}: is not stored; `kiln apply` the blueprint that says where "
            f"{record.id} is to go"
        )
    return stored.number


def finish(image: str, execution: str, place: Place, pace: Pace) -> Distributed:
    """Wait for an execution to end."""
    stepfunctions = place.client("stepfunctions")
    for pause in pace.pauses():
        found = history.describe(stepfunctions, execution)
        if found.status != "RUNNING":
            return told(image, execution, found, place.world)
        pace.sleep(pause)
    raise AssertionError("pauses never end")


def told(image: str, execution: str, found: history.Execution, world: World) -> Distributed:
    """An execution as it stands."""
    return Distributed(
        image=image,
        execution=execution,
        status=found.status,
        error=found.error or None,
        cause=found.cause or None,
        places=world.records.places(image),
    )


def rows(places: tuple[ImagePlace, ...]) -> list[tuple[str, str, str, str]]:
    """Where an image is, as a table."""
    return [(p.region, p.image or "-", p.status, shared_with(p)) for p in places]


def shared_with(place: ImagePlace) -> str:
    """Who may launch it there besides its owner."""
    ids = (arn.rpartition("/")[2] for arn in (*place.organizations, *place.organizational_units))
    return ", ".join((*place.accounts, *ids)) or "-"
