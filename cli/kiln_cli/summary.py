"""The result of a bake for a person: the same facts as the JSON object, in a screenful."""

from __future__ import annotations

from collections.abc import Iterator

import click

from kiln_cli.printing import plain, table
from kiln_cli.result import BakeResult, CommandOutcome, FaultOutcome
from kiln_cli.timing import minutes

# What the user does next, by the error's name.
_NEXT = {
    "StepFailed": "Mend the step and bake again. `on_failure: keep` in the blueprint leaves the "
    "builder for a look.",
    "CleanFailed": "No image was made. See what held the file, and bake again.",
    "VerificationFailed": "The image is removed. Name what is left over under clean.also_remove, "
    "or mend the test.",
    "BuilderUnreachable": "`kiln doctor` checks the subnets' way to Systems Manager and the "
    "instance profile; if both are well, look at the image's agent.",
    "NoCapacity": "Name more instance types or subnets under builder, or try again later.",
    "LaunchRefused": "Mend what EC2 names, and bake again.",
    "ImageFailed": "Bake again; if EC2 fails again, its reason above is for AWS support.",
    "DistributionFailed": "",
    "TeardownFailed": "Remove what is listed under leaks by hand.",
}

# In a table's words.
WHOSE = {"aws": "AWS", "blueprint": "the blueprint", "turn": "other bakes", "kiln": "Kiln"}


def show(result: BakeResult) -> None:
    """Print it on stdout."""
    table((), list(_head(result)))
    if result.identity:
        click.echo()
        table(("IDENTITY", "BUILDER", "CLONE", ""), list(_facts(result)))
    if result.time:
        click.echo()
        table(("TIME", "OF", "S"), [(part.what, WHOSE[part.of], part.s) for part in result.time])
        if result.aws_s is not None:
            click.echo("Kiln's own is this machine's time, as many times as --speed says.")
    if result.commands:
        click.echo()
        table(("DOCUMENT", "INSTANCE", "STATUS", "STEPS"), [_command(c) for c in result.commands])
    if result.faults:
        click.echo()
        table(("FAULT", "SEEN", "ACTED", "WHERE"), [_fault(fault) for fault in result.faults])
    for line in _not_real(result):
        click.echo(f"\n{plain(line)}")
    if result.bake.error:
        click.echo(f"\n{plain(result.bake.error)}: {plain(result.bake.cause or 'no cause given')}")
        if said := advice(result):
            click.echo(said)


def advice(result: BakeResult) -> str:
    """What the user does next about a failure; "" where the cause says it."""
    if any(_nothing_ran(command) for command in result.commands):
        return "Bake where a sandbox can be had (Linux with user namespaces), or on AWS."
    # A builder that is kept is the next thing to look at; the cause says how.
    if " is kept, " in (result.bake.cause or ""):
        return ""
    return _NEXT.get(result.bake.error or "", "Mend what the cause names, and bake again.")


def _head(result: BakeResult) -> Iterator[tuple[str, str]]:
    bake, image = result.bake, result.image
    yield "bake", f"{bake.id} {bake.status}"
    if bake.skipped:
        yield "skipped", bake.skipped.reason
    if bake.waits_for:
        yield "waits for", bake.waits_for
    if image:
        yield "image", f"{image.id} {image.name} {image.state} ({image.root_device})"
        tags = ", ".join(f"{key}={value}" for key, value in sorted(image.tags.items()))
        yield "tags", tags
    yield from _times(result)
    for place in result.places:
        why = f" ({place.cause})" if place.cause else ""
        yield "region", f"{place.region} {place.image or 'no image'} {place.status}{why}"
    for rollout in result.rollouts:
        added = ", ".join(f"{i.id} {i.state}" for i in rollout.instances) or "no instance"
        why = f" ({rollout.cause})" if rollout.cause else ""
        yield "rollout", f"{rollout.layer} {rollout.status}: {added}{why}"
    if result.calls is not None:
        yield "calls", f"{sum(result.calls.values())} AWS calls of {len(result.calls)} kinds"
    if result.throttled is not None:
        refused = ", ".join(f"{name} {times}" for name, times in result.throttled.items())
        yield "throttled", refused or "none"
    left = ", ".join(f"{leak['kind']} {leak['id']}" for leak in result.leaks)
    if bake.status not in ("RUNNING", "WAITING"):
        yield "leaks", left or "none"


def _times(result: BakeResult) -> Iterator[tuple[str, str]]:
    """How long it took, or will take yet if the last ones say."""
    if result.makespan_s is not None:
        total = f"{result.makespan_s:.0f} s in {len(result.states)} states"
        if result.aws_s is not None:
            total += f", {result.aws_s:.0f} s of it waiting for AWS (simulated)"
        yield "time", total
    elif result.bake.status == "RUNNING" and result.expected_s is not None:
        # The time in line is no part of what the last ones took.
        left = result.expected_s - sum(part.s for part in result.time if part.of != "turn")
        when = f"about {minutes(left)}" if left > 0 else "any moment"
        yield "left", f"{when}: its last bakes took {minutes(result.expected_s)}"


def _facts(result: BakeResult) -> Iterator[tuple[str, str, str, str]]:
    identity = result.identity
    if identity is None:
        return
    for name, value in sorted(identity.builder.items()):
        clone = identity.clone.get(name)
        judgement = "THE SAME" if clone == value else "differs" if clone else "gone"
        yield name, _short(value or "-"), _short(clone or "-"), judgement


def _short(value: str) -> str:
    return value if len(value) <= 24 else f"{value[:21]}..."


def _command(command: CommandOutcome) -> tuple[str, str, str, str]:
    if _nothing_ran(command):
        return command.document, command.instance, "-", "NOT RUN"
    steps = ", ".join(
        f"{s.name} {'-' if s.exit_code is None else s.exit_code}" for s in command.steps
    )
    how = " (simulated)" if command.simulated else ""
    return command.document, command.instance, command.status, f"{steps}{how}"


def _fault(fault: FaultOutcome) -> tuple[str, str, str, str]:
    places = {f"{f.function or f.machine} {f.state}".strip() for f in fault.fired}
    acted = {0: "never", 1: "once"}.get(len(fault.fired), f"{len(fault.fired)} times")
    return fault.fault, str(fault.seen), acted, ", ".join(sorted(places)[:3]) or "-"


def _nothing_ran(command: CommandOutcome) -> bool:
    return not (command.ran or command.simulated)


def _not_real(result: BakeResult) -> Iterator[str]:
    nothing = {c.why_not or "the agent ran no step" for c in result.commands if _nothing_ran(c)}
    for reason in sorted(nothing):
        yield (
            f"NOT RUN: the steps of some documents did not run ({reason}). "
            "What this bake shows of them proves nothing."
        )
    for reason in sorted({c.why_not or "no reason given" for c in result.commands if c.simulated}):
        yield f"SIMULATED: {reason}. Bake on AWS before you rely on such an image."
