"""The one object that `kiln bake --json` prints. Its shape is a promise: keys are only added."""

from __future__ import annotations

from typing import Any, Literal

from kiln.domain.model import Model

_WELL = ("WAITING", "RUNNING", "SUCCEEDED", "SKIPPED")


class SkippedOutcome(Model):
    """Why a bake made nothing, and the image that it would have made once more."""

    reason: str
    image: str | None = None


class BakeOutcome(Model):
    """How the bake ended: `status` as Step Functions names it, SKIPPED for one that had nothing to
    make, WAITING for one whose turn has not come."""

    id: str
    blueprint: str
    version: int | None
    status: str
    error: str | None = None
    cause: str | None = None
    skipped: SkippedOutcome | None = None
    waits_for: str | None = None


class ImageOutcome(Model):
    """The image, as EC2 describes it now."""

    id: str
    name: str
    state: str
    root_device: str
    tags: dict[str, str]


class StateSpan(Model):
    """A state of the execution, in (simulated) seconds since it began."""

    name: str
    entered_s: float
    exited_s: float | None


Whose = Literal["aws", "blueprint", "turn", "kiln"]


class TimeOutcome(Model):
    """What took so many seconds, and whose they were: AWS's, the blueprint's own steps and tests,
    the turn that was waited for, or Kiln's. AWS's count until Kiln has noticed."""

    of: Whose
    what: str
    s: float


class StepOutcome(Model):
    """One step of a document; `exit_code` is None where it did not run."""

    name: str
    exit_code: int | None


class CommandOutcome(Model):
    """One document on one instance; `why_not` is there only where its steps could not run."""

    document: str
    instance: str
    status: str
    ran: bool
    steps: tuple[StepOutcome, ...]
    why_not: str | None = None

    @property
    def simulated(self) -> bool:
        """Whether its scripts were applied without the shell that they are written for."""
        return not self.ran and any(step.exit_code is not None for step in self.steps)


class Identity(Model):
    """The facts that were compared: every one of the builder's must differ on the clone, or be
    gone there (null)."""

    builder: dict[str, str | None]
    clone: dict[str, str | None]


class InstanceOutcome(Model):
    """An instance that a rollout added."""

    id: str
    state: str


class PlaceOutcome(Model):
    """The image in one Region: `pending`, `available`, `incomplete` or `failed`."""

    region: str
    image: str | None
    status: str
    cause: str | None = None


class RolloutOutcome(Model):
    """A rollout of the bake's image to one layer."""

    layer: str
    status: str
    instances: tuple[InstanceOutcome, ...]
    cause: str | None = None


class FiringOutcome(Model):
    """A fault on request has acted: when, in simulated seconds of the local AWS, and where."""

    at_s: float
    operation: str
    function: str
    machine: str
    state: str
    execution: str


class FaultOutcome(Model):
    """A fault on request, in words; how often something fitted it, and when it acted."""

    fault: str
    seen: int
    fired: tuple[FiringOutcome, ...]


class BakeResult(Model):
    """All that is known of a bake. `calls` and `aws_s` are None where only AWS could tell."""

    bake: BakeOutcome
    image: ImageOutcome | None
    states: tuple[StateSpan, ...]
    calls: dict[str, int] | None
    commands: tuple[CommandOutcome, ...]
    identity: Identity | None
    rollouts: tuple[RolloutOutcome, ...]
    makespan_s: float | None
    aws_s: float | None
    leaks: tuple[dict[str, str], ...]
    places: tuple[PlaceOutcome, ...] = ()
    faults: tuple[FaultOutcome, ...] = ()
    throttled: dict[str, int] | None = None
    time: tuple[TimeOutcome, ...] = ()
    # Of the whole bake, by the blueprint's last ones.
    expected_s: float | None = None

    @property
    def succeeded(self) -> bool:
        """Whether the image is made and every rollout of it went well, or there was nothing to
        make."""
        rolled_out = all(rollout.status == "SUCCEEDED" for rollout in self.rollouts)
        return self.bake.status in ("SUCCEEDED", "SKIPPED") and rolled_out

    @property
    def failed(self) -> bool:
        """Whether the bake or a rollout has ended badly; what still runs has not."""
        ended = (self.bake.status, *(rollout.status for rollout in self.rollouts))
        return any(status not in _WELL for status in ended)

    def as_json(self) -> dict[str, Any]:
        """JSON-ready; keys that only say why something is wrong are left out where nothing is."""
        found = self.model_dump(mode="json")
        for key in ("skipped", "waits_for"):
            if found["bake"][key] is None:
                del found["bake"][key]
        for row in (*found["commands"], *found["rollouts"], *found["places"]):
            for key in ("why_not", "cause"):
                if key in row and row[key] is None:
                    del row[key]
        return found
