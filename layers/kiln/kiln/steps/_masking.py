"""What the output of a command may hold and nobody may read: known where the output is quoted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiln.domain.confidential import secrets_in

if TYPE_CHECKING:
    from kiln.domain.bake import BakeRecord
    from kiln.domain.deployment import Deployment
    from kiln.domain.waiting import CommandDone
    from kiln.ports import World

# Where a step's user writes what a command is given.
_GIVEN = {"environment", "chef", "document"}


def secrets_of(wait: CommandDone, world: World) -> set[str]:
    """The secrets that a command was given: those of its stack, or of its bake's blueprint."""
    if wait.stack:
        asked = world.deployments.get(wait.stack, wait.deployment) if wait.deployment else None
        return secrets_of_stack(wait.stack, asked, world)
    record = world.records.bake(wait.bake)
    return secrets_of_bake(record) if record else set()


def secrets_of_bake(record: BakeRecord) -> set[str]:
    """What the steps and tests of its blueprint are given under the name of a secret."""
    blueprint = record.plan.blueprint
    steps = (*blueprint.steps, *blueprint.verify.steps)
    return {found for step in steps for found in secrets_in(step.model_dump(include=_GIVEN))}


def secrets_of_stack(name: str, asked: Deployment | None, world: World) -> set[str]:
    """What the custom JSON of a stack, its layers and a deployment has under the name of one."""
    stack = world.records.stack(name)
    given = [stack.custom_json, *(layer.custom_json for layer in stack.layers)] if stack else []
    return set(secrets_in([*given, asked.custom_json if asked else {}]))
