"""One look at what a state machine waits for: not yet, done with an output, or failed for good.

A function that a bake waits in loads nothing of layers and rollouts, which takes a fifth of its
start: what looks at those is imported where one of them is looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kiln.domain.waiting import (
    BakeTurn,
    CommandDone,
    ImageAvailable,
    InstanceOnline,
    InstanceStopped,
    RolloutWait,
    Wait,
)
from kiln.errors import (
    BuilderUnreachable,
    BundleFailed,
    CleanFailed,
    ConfigureFailed,
    DeployFailed,
    ImageFailed,
    KilnError,
    SetupFailed,
    ShutdownFailed,
    StepFailed,
    StopFailed,
    UndeployFailed,
    Unsupported,
    VerificationFailed,
)
from kiln.steps._masking import secrets_of
from kiln.steps._output import ends
from kiln.steps._sight import UNDER_WAY, Sight
from kiln.steps._turns import line_for, turn_too_late

if TYPE_CHECKING:
    from kiln.ports import CommandFacts, InstanceFacts, StepResult, World

Output = dict[str, Any]

_GONE = frozenset({"shutting-down", "terminated", "stopping", "stopped"})
# Steps that are all of their document.
_ALONE = ("script", "reboot", "recipes", "mount")
_ERRORS: dict[str, type[KilnError]] = {
    "step": StepFailed,
    "prepare": StepFailed,
    "inspect": Unsupported,
    "clean": CleanFailed,
    "seal": StopFailed,
    "bundle": BundleFailed,
    "verify": VerificationFailed,
    "test": VerificationFailed,
    # A Setup cannot begin without them, and the other events' files come the same way.
    "files": SetupFailed,
    "setup": SetupFailed,
    "configure": ConfigureFailed,
    "deploy": DeployFailed,
    "undeploy": UndeployFailed,
    "shutdown": ShutdownFailed,
}


def look(wait: Wait, world: World, sight: Sight | None = None) -> Output | None:
    """The output if the wait is over, None if it is not. Raises the error that ends it badly.
    `sight` is what is seen already, of this wait and others."""
    sight = sight or Sight((wait,), world)
    if isinstance(wait, InstanceOnline):
        return _look_online(wait, sight)
    if isinstance(wait, InstanceStopped):
        return _look_stopped(wait, sight)
    if isinstance(wait, ImageAvailable):
        return _look_available(wait, sight)
    if isinstance(wait, CommandDone):
        return _look_command(wait, sight, world)
    if isinstance(wait, RolloutWait):
        from kiln.steps._looking_at_rollouts import look_rollout

        return look_rollout(wait, world)
    if isinstance(wait, BakeTurn):
        return {"bake": wait.bake} if line_for(wait.turn, world) else None
    from kiln.steps._looking_at_layers import look_layer

    return look_layer(wait, world, sight)


def check_time(wait: Wait, world: World) -> None:
    """Raise the wait's own error once its time is over."""
    if wait.is_over(world.clock.now()):
        raise _too_late(wait, world)


def _too_late(wait: Wait, world: World) -> KilnError:
    if isinstance(wait, BakeTurn):
        return turn_too_late(wait, world)
    after = f"after {wait.timeout_s} s"
    if isinstance(wait, RolloutWait):
        from kiln.steps._looking_at_rollouts import rollout_too_late

        return rollout_too_late(wait, after, world)
    if not isinstance(wait, InstanceOnline | InstanceStopped | ImageAvailable | CommandDone):
        from kiln.steps._looking_at_layers import too_late

        return too_late(wait, after)
    if isinstance(wait, InstanceOnline):
        return BuilderUnreachable(
            f"{wait.instance} was not online in Systems Manager {after}; check that its subnet "
            "reaches "
            "Systems Manager (NAT or endpoints), that the image has the SSM agent, and the "
            "instance profile"
        )
    if isinstance(wait, InstanceStopped):
        return StopFailed(f"{wait.instance} had not stopped {after}; look at its console output")
    if isinstance(wait, ImageAvailable):
        return ImageFailed(
            f"{wait.image} was not available {after}; raise the blueprint's deadline"
        )
    return _ERRORS[wait.purpose](
        f"{wait.label} had not ended on {wait.instance} {after}; raise its timeout or the deadline"
    )


def _look_online(wait: InstanceOnline, sight: Sight) -> Output | None:
    instance = sight.instance(wait.instance)
    if instance and instance.state in _GONE:
        reason = instance.state_reason or "no reason given"
        raise BuilderUnreachable(
            f"{wait.instance} is {instance.state} ({reason}) and never came online"
        )
    if instance and instance.state == "running" and sight.online(wait.instance):
        return {"instance": wait.instance}
    return None


def _look_stopped(wait: InstanceStopped, sight: Sight) -> Output | None:
    instance = sight.instance(wait.instance)
    if instance and instance.state in ("shutting-down", "terminated"):
        reason = instance.state_reason or "no reason given"
        raise StopFailed(f"{wait.instance} is {instance.state} ({reason}) instead of stopped")
    return {"instance": wait.instance} if instance and instance.state == "stopped" else None


def _look_available(wait: ImageAvailable, sight: Sight) -> Output | None:
    image = sight.image(wait)
    if image is None or image.state in ("pending", "transient"):
        return None
    if image.state != "available":
        raise ImageFailed(
            f"{wait.image} is {image.state}: {image.state_reason or 'no reason given'}"
        )
    return {"image": wait.image}


def _look_command(wait: CommandDone, sight: Sight, world: World) -> Output | None:
    facts = sight.command(wait)
    done = {"command": wait.command, "instance": wait.instance}
    if facts and facts.status == "Success":
        return done
    instance = sight.instance(wait.instance)
    if wait.purpose == "seal" and instance and instance.state in ("stopping", "stopped"):
        # It goes down of its own accord: what ran on it went down with its agent.
        return done
    if facts is None or facts.status in UNDER_WAY:
        _check_alive(wait, instance)
        return None
    raise _ERRORS[wait.purpose](_why(wait, facts, world))


def _check_alive(wait: CommandDone, instance: InstanceFacts | None) -> None:
    if instance and instance.state in _GONE:
        raise _ERRORS[wait.purpose](
            f"{wait.instance} is {instance.state} ({instance.state_reason or 'no reason given'}) "
            f"while {wait.label} ran on it"
        )


def _why(wait: CommandDone, facts: CommandFacts, world: World) -> str:
    failed = next((step for step in facts.steps if step.exit_code not in (0, -1)), None)
    if failed is None:
        return f"{wait.label} on {wait.instance} ended as {facts.detail or facts.status}"
    output = world.commands.output(wait.command, wait.instance, failed.name)
    part = "" if failed.name in _ALONE else f" at {failed.name!r}"
    said = _said(output, wait, world)
    return f"{wait.label}{part} {_how(failed)} on {wait.instance}: {said}"


def _how(failed: StepResult) -> str:
    if failed.status == "TimedOut":
        # The agent calls an exit code of 137 that, whoever killed the script.
        return "was killed (137: its timeout was over, or memory short)"
    return f"exited {failed.exit_code}"


def _said(output: StepResult, wait: CommandDone, world: World) -> str:
    # The verification prints what it found; everything else says on stderr why it failed.
    stdout, stderr = ends(output, secrets_of(wait, world), world)
    order = (stdout, stderr) if wait.purpose == "verify" else (stderr, stdout)
    return next((text for text in order if text), "no output")
