"""RunStep: send one document to an instance, once. The wait for its end is AwaitResource's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiln.domain.bake import BakePlan, Seal
from kiln.domain.bundle import BundlePlace, for_bundle
from kiln.domain.documents import (
    BakePurpose,
    DocumentCall,
    for_clean,
    for_inspect,
    for_prepare,
    for_seal,
    for_step,
    for_verify,
)
from kiln.domain.model import Model
from kiln.domain.naming import output_prefix
from kiln.domain.platforms import Family
from kiln.errors import AwsRefused, KilnError, StepFailed
from kiln.ports import CommandOrder, World
from kiln.steps._bakes import plan_of, seconds_left
from kiln.steps._sending import sent_once

if TYPE_CHECKING:
    from collections.abc import Callable

    from kiln.domain.step import Step

# How long Run Command may take to hand a command to an agent (our TimeoutSeconds in SendCommand).
DELIVERY_S = 600
_LABELS = {
    "inspect": "the inspection",
    "prepare": "the preparation",
    "clean": "the clean-up",
    "seal": "the seal",
    "verify": "the verification",
}


class RunStep(Model):
    """Which of the bake's commands to run where; `builder` is what a verification compares with."""

    bake: str
    purpose: BakePurpose
    instance: str
    index: int = 0
    builder: str | None = None


class CommandSent(Model):
    """The command, what to call it in a message, and how long it may take (seconds)."""

    command: str
    instance: str
    purpose: str
    label: str
    wait_s: int


def run_step(request: RunStep, world: World) -> CommandSent:
    """Send the command, or find the one sent before. Raises StepFailed, InvalidBlueprint."""
    plan = plan_of(request.bake, world)
    call = _call(request, plan, world)
    return CommandSent(
        command=_sent_once(request, plan, call, world),
        instance=request.instance,
        purpose=_called(request.purpose, plan),
        label=_label(request, plan),
        wait_s=seconds_left(plan, call.timeout_s + DELIVERY_S, world),
    )


def _called(purpose: BakePurpose, plan: BakePlan) -> BakePurpose:
    return "bundle" if purpose == "seal" and plan.seal is Seal.BUNDLE else purpose


def _step(request: RunStep, plan: BakePlan) -> Step:
    blueprint = plan.blueprint
    steps = blueprint.steps if request.purpose == "step" else blueprint.verify.steps
    return steps[request.index]


def _call(request: RunStep, plan: BakePlan, world: World) -> DocumentCall:
    blueprint = plan.blueprint
    calls: dict[str, Callable[[], DocumentCall]] = {
        "inspect": lambda: for_inspect(blueprint),
        "prepare": lambda: for_prepare(blueprint),
        "clean": lambda: for_clean(blueprint, plan.bake),
        "seal": lambda: _seal(plan, world),
        "verify": lambda: for_verify(blueprint, request.builder or ""),
    }
    if request.purpose in calls:
        return calls[request.purpose]()
    step = _step(request, plan)
    script = world.scripts.read(step.script.s3, step.script.version) if step.script else None
    return for_step(step, script, blueprint.family is Family.WINDOWS)


def _seal(plan: BakePlan, world: World) -> DocumentCall:
    if plan.seal is not Seal.BUNDLE:
        return for_seal(plan.blueprint)
    settings = world.settings
    place = BundlePlace(settings.account, settings.region, world.bundles.location(plan.bake))
    return for_bundle(plan.blueprint, plan.base, place)


def _label(request: RunStep, plan: BakePlan) -> str:
    if request.purpose in _LABELS:
        return _LABELS[request.purpose]
    return f"{request.purpose} {_step(request, plan).name!r}"


def _sent_once(request: RunStep, plan: BakePlan, call: DocumentCall, world: World) -> str:
    """Send unless this very command was sent before."""
    part = f"{request.purpose}-{request.index}"
    key = f"{plan.bake}/{part}/{request.instance}"
    # Run Command's Comment holds 100 characters; a bake id is at most 69 long.
    comment = f"kiln {plan.bake} {part}"
    order = CommandOrder(request.instance, call, comment, output_prefix(plan.bake, part))
    try:
        return sent_once(key, order, world)
    except AwsRefused as error:
        raise _refusal(order, _label(request, plan), error) from error


def _refusal(order: CommandOrder, label: str, error: AwsRefused) -> KilnError:
    return StepFailed(
        f"{label}: document {order.call.name} could not be sent to {order.instance}: {error}"
    )
