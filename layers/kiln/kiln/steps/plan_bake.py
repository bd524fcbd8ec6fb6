"""PlanBake: load and check the blueprint, resolve its base, write the bake's record. Launches
nothing."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from kiln.domain.bake import BakePlan, BakeRecord, Seal
from kiln.domain.blueprint import blueprint_from
from kiln.domain.events import BakeStarted
from kiln.domain.model import Model, Text
from kiln.domain.naming import BAKE_ID, bake_id
from kiln.domain.platforms import Family
from kiln.errors import InvalidBlueprint
from kiln.ports import World
from kiln.steps._planning import PlanOrder, make_plan


class BakeRequest(Model):
    """An execution's input: the name of a stored blueprint, or a whole blueprint inline."""

    blueprint: Text | dict[str, Any]
    version: int | None = None
    overrides: dict[str, Any] = {}


class PlanBake(Model):
    """The input with the execution's name and start (ISO 8601)."""

    request: dict[str, Any]
    execution: str
    started: datetime


class BakePlanned(Model):
    """What the state machine needs to go on: how many steps and tests there are, whether to inspect
    the builder first, and how to seal it."""

    bake: str
    blueprint: str
    version: int
    steps: int
    tests: int
    inspect: bool
    seal: Seal


def plan_bake(request: PlanBake, world: World) -> BakePlanned:
    """Decide everything about a bake. Raises what `make_plan` raises, and InvalidBlueprint."""
    version, document = _load(request.request, world)
    bake = _bake_id(blueprint_from(document).name, request)
    stored = world.records.bake(bake)
    if stored:
        return _planned(stored.plan)
    plan = make_plan(PlanOrder(document, version, bake, request.started), world)
    if world.records.add_bake(BakeRecord(plan=plan)):
        world.bus.publish(
            BakeStarted(
                bake=bake, blueprint=plan.blueprint.name, version=version, base=plan.base.id
            )
        )
    return _planned(plan)


def _load(given: dict[str, Any], world: World) -> tuple[int, dict[str, Any]]:
    request = _request(given)
    if isinstance(request.blueprint, dict):
        return request.version or 0, merged(request.blueprint, request.overrides)
    found = world.records.blueprint(request.blueprint, request.version)
    if found is None:
        known = ", ".join(world.records.blueprints()) or "none"
        wanted = request.blueprint + (f"@{request.version}" if request.version else "")
        raise InvalidBlueprint(f"blueprint: {wanted!r} is not stored; known: {known}")
    return found[0], merged(found[1], request.overrides)


def _request(given: dict[str, Any]) -> BakeRequest:
    # What a bus or a scheduler adds beside our keys is none of our business.
    known = {key: value for key, value in given.items() if key in BakeRequest.model_fields}
    try:
        return BakeRequest.model_validate(known)
    except ValueError as error:
        raise InvalidBlueprint(
            'the input needs `blueprint`: the name of a stored one, as in {"blueprint": "web"}, '
            "or a whole blueprint"
        ) from error


def merged(document: dict[str, Any], overrides: dict[str, Any]) -> dict[str, Any]:
    """The document with the overrides laid over it, mapping by mapping."""
    result = dict(document)
    for key, value in overrides.items():
        inner = result.get(key)
        both = isinstance(inner, dict) and isinstance(value, dict)
        result[key] = merged(inner, value) if both else value  # type: ignore[arg-type]
    return result


def _bake_id(name: str, request: PlanBake) -> str:
    """The execution's name where it is a bake id of this blueprint; else one made from it."""
    found = BAKE_ID.match(request.execution)
    if found and found["blueprint"] == name:
        return request.execution
    return bake_id(name, request.started, request.execution)


def _planned(plan: BakePlan) -> BakePlanned:
    blueprint = plan.blueprint
    return BakePlanned(
        bake=plan.bake,
        blueprint=blueprint.name,
        version=plan.version,
        steps=len(blueprint.steps),
        tests=len(blueprint.verify.steps),
        inspect=blueprint.family is Family.WINDOWS,
        seal=plan.seal,
    )
