"""What only the place of a bake can tell of it: AWS itself, or the local AWS (local.py)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Protocol

from kiln.adapters._errors import translated
from kiln.domain.naming import TAG_ROLE
from kiln.ports import Images
from kiln_cli import history
from kiln_cli.place import Place
from kiln_cli.result import CommandOutcome, FaultOutcome, StepOutcome


class Ledger(Protocol):
    """What only the place itself can tell of a bake."""

    def calls(self, began: datetime) -> dict[str, int] | None:
        """AWS calls of functions and state machines since then."""
        ...

    def commands(self, bake: str, sent: Iterable[dict[str, Any]]) -> list[CommandOutcome]:
        """The documents that ran for a bake."""
        ...

    def aws_s(self, bake: str, execution: history.Execution) -> float | None:
        """How long some AWS operation that the bake waited for was in progress."""
        ...

    def leaks(self, bake: str, images: set[str], kept: bool) -> list[dict[str, str]]:
        """What carries the bake's tag in any Region and should not be there any more."""
        ...

    def faults(self) -> tuple[FaultOutcome, ...]:
        """What went wrong on request."""
        ...

    def throttled(self) -> dict[str, int] | None:
        """Requests that EC2's token buckets refused, by operation."""
        ...


class AccountLedger:
    """What AWS itself tells: no counts of calls, and no share of the time that was AWS's own."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def calls(self, began: datetime) -> dict[str, int] | None:  # noqa: ARG002
        """AWS counts calls in CloudTrail, minutes later."""
        return None

    def aws_s(self, bake: str, execution: history.Execution) -> float | None:  # noqa: ARG002
        """AWS does not say when an operation of its own was in progress."""
        return None

    def commands(self, bake: str, sent: Iterable[dict[str, Any]]) -> list[CommandOutcome]:  # noqa: ARG002
        """The invocations of the commands that the bake sent."""
        ssm = self._place.client("ssm")
        return [found for order in sent for found in invocations(ssm, order)]

    def faults(self) -> tuple[FaultOutcome, ...]:
        """None on request: AWS has its own."""
        return ()

    def throttled(self) -> dict[str, int] | None:
        """AWS counts them in CloudWatch."""
        return None

    def leaks(self, bake: str, images: set[str], kept: bool) -> list[dict[str, str]]:
        """By tag, as Teardown looks; instances and volumes are in the bake's own Region alone."""
        world = self._place.world
        found = [
            ("instance", i.id)
            for i in world.fleet.of_bake(bake)
            if not (kept and i.tags.get(TAG_ROLE) == "builder")
        ]
        found += [("volume", volume) for volume in world.fleet.volumes_of_bake(bake)]
        rows = [{"kind": kind, "id": name} for kind, name in found]
        rows += _left(world.images, bake, images)
        record = world.records.bake(bake)
        targets = record.plan.blueprint.distribute.regions if record else ()
        for target in targets:
            there = world.regions.at(target.region).images
            rows += [row | {"region": target.region} for row in _left(there, bake, images)]
        return rows


def _left(images: Images, bake: str, good: set[str]) -> list[dict[str, str]]:
    made = {image.id: image for image in images.of_bake(bake)}
    wanted = {s.snapshot for i in made.values() if i.id in good for s in i.snapshots}
    found = [("image", name) for name in made if name not in good]
    found += [("snapshot", s) for s in images.snapshots_of_bake(bake) if s not in wanted]
    return [{"kind": kind, "id": name} for kind, name in found]


def invocations(ssm: Any, sent: dict[str, Any]) -> list[CommandOutcome]:
    """What became of a command that RunStep sent, on each of its instances. AwsRefused."""
    with translated("ssm", "ListCommandInvocations"):
        answer = ssm.list_command_invocations(CommandId=sent["command"], Details=True)
    return [_command(found) for found in answer["CommandInvocations"]]


def _command(found: dict[str, Any]) -> CommandOutcome:
    plugins = found.get("CommandPlugins", ())
    ended = [p for p in plugins if p.get("Status") in ("Success", "Failed", "TimedOut")]
    steps = (StepOutcome(name=p["Name"], exit_code=p.get("ResponseCode")) for p in plugins)
    return CommandOutcome(
        document=found.get("DocumentName", ""),
        instance=found["InstanceId"],
        status=found["Status"],
        ran=bool(ended),
        steps=tuple(steps),
    )
