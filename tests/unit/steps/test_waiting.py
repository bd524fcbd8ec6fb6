"""Waiting: answered at once, when an event comes, or when it is too late; never lost between."""

from __future__ import annotations

from typing import Any

import pytest

from kiln.domain.waiting import Wait
from kiln.errors import (
    BuilderUnreachable,
    BundleFailed,
    CleanFailed,
    ImageFailed,
    KilnError,
    StepFailed,
    StopFailed,
    Unsupported,
    VerificationFailed,
)
from kiln.ports import InstanceFacts, StepResult
from kiln.steps.await_resource import AwaitResource, await_resource
from kiln.steps.wake import AwsEvent, wake
from tests.builders import BAKE, NOW, an_image
from tests.fakes import FakeWorld


def a_wait(**wait: Any) -> AwaitResource:
    """A waiting task."""
    common = {"bake": BAKE, "since": NOW.isoformat(), "timeout_s": 600}
    return AwaitResource.model_validate(
        {"wait": common | wait, "state": "AwaitBuilder", "token": "token-1"}
    )


def for_command(purpose: str = "step", command: str = "c-1") -> AwaitResource:
    """A task that waits for a command on i-1."""
    return a_wait(
        kind="command-done", instance="i-1", command=command, purpose=purpose, label="step 'tune'"
    )


def event(**detail: str) -> AwsEvent:
    """An event of AWS."""
    return AwsEvent.model_validate({"detail-type": "something", "detail": detail})


def test_what_is_done_is_answered_at_once() -> None:
    fake = FakeWorld()
    instance = fake.fleet.add({})
    fake.commands.agents.add(instance)
    done = await_resource(a_wait(kind="instance-online", instance=instance), fake.world)
    assert done.done
    assert fake.machines.outputs == {"token-1": {"instance": instance}}
    assert fake.waits.of(instance) == ()


def test_what_is_not_done_keeps_its_token_until_an_event_comes() -> None:
    fake = FakeWorld()
    instance = fake.fleet.add({}, "pending")
    assert not await_resource(a_wait(kind="instance-online", instance=instance), fake.world).done
    assert wake(event(**{"instance-id": instance}), fake.world).ended == 0
    fake.fleet.become(instance, "running")
    assert wake(event(**{"instance-id": instance}), fake.world).ended == 0
    fake.commands.agents.add(instance)
    assert wake(event(**{"instance-id": instance}), fake.world).ended == 1
    assert fake.waits.of(instance) == ()
    assert wake(event(**{"instance-id": instance}), fake.world).ended == 0


def test_an_event_at_the_time_of_the_look_is_not_lost() -> None:
    fake = FakeWorld()
    instance = fake.fleet.add({}, "stopping")
    describe = fake.fleet.describe
    woken: list[int] = []

    def describe_late(asked: str) -> InstanceFacts | None:
        found = describe(asked)
        if not woken:
            woken.append(0)
            fake.fleet.become(instance, "stopped")
            woken.append(wake(event(**{"instance-id": instance}), fake.world).ended)
        return found

    fake.fleet.describe = describe_late  # type: ignore[method-assign]
    await_resource(a_wait(kind="instance-stopped", instance=instance), fake.world)
    assert woken[1] == 1
    assert fake.machines.outputs == {"token-1": {"instance": instance}}
    assert fake.waits.of(instance) == ()


def test_a_wait_that_ends_badly_at_once_keeps_no_token() -> None:
    fake = FakeWorld()
    instance = fake.fleet.add({}, "terminated")
    with pytest.raises(BuilderUnreachable):
        await_resource(a_wait(kind="instance-online", instance=instance), fake.world)
    assert fake.waits.of(instance) == ()


def test_a_token_that_has_ended_is_forgotten() -> None:
    fake = FakeWorld()
    instance = fake.fleet.add({}, "stopping")
    await_resource(a_wait(kind="instance-stopped", instance=instance), fake.world)
    fake.machines.gone.add("token-1")
    fake.fleet.become(instance, "stopped")
    assert wake(event(**{"instance-id": instance}), fake.world).ended == 1
    assert fake.machines.outputs == {}


def test_an_event_that_names_nothing_wakes_nobody() -> None:
    assert wake(event(), FakeWorld().world).ended == 0


def test_a_failure_found_by_an_event_fails_the_task() -> None:
    fake = FakeWorld()
    instance = fake.fleet.add({}, "pending")
    await_resource(a_wait(kind="instance-online", instance=instance), fake.world)
    fake.fleet.become(instance, "terminated", "Server.InternalError")
    assert wake(event(**{"instance-id": instance}), fake.world).ended == 1
    error, cause = fake.machines.failures["token-1"]
    assert error == "BuilderUnreachable"
    assert "is terminated (Server.InternalError) and never came online" in cause


def test_a_failure_after_the_task_has_ended_is_harmless() -> None:
    fake = FakeWorld()
    instance = fake.fleet.add({}, "pending")
    await_resource(a_wait(kind="instance-online", instance=instance), fake.world)
    fake.fleet.become(instance, "terminated")
    fake.machines.gone.add("token-1")
    assert wake(event(**{"instance-id": instance}), fake.world).ended == 1


@pytest.mark.parametrize(
    ("wait", "error", "said"),
    [
        ({"kind": "instance-online", "instance": "i-1"}, BuilderUnreachable, "was not online"),
        (
            {"kind": "instance-stopped", "instance": "i-1"},
            StopFailed,
            "had not stopped after 600 s",
        ),
        (
            {"kind": "image-available", "image": "ami-1"},
            ImageFailed,
            "was not available after 600 s",
        ),
    ],
)
def test_a_wait_that_takes_too_long_ends_in_its_own_error(
    wait: dict[str, str], error: type[KilnError], said: str
) -> None:
    fake = FakeWorld()
    fake.clock.move(601)
    with pytest.raises(error, match=said):
        await_resource(a_wait(**wait), fake.world)


def test_a_command_that_takes_too_long_names_its_step() -> None:
    fake = FakeWorld()
    fake.clock.move(601)
    with pytest.raises(StepFailed, match="step 'tune' had not ended on i-1 after 600 s"):
        await_resource(for_command(), fake.world)


def test_a_command_is_waited_for_by_its_own_id_and_its_instance() -> None:
    fake = FakeWorld()
    assert not await_resource(for_command(), fake.world).done
    assert len(fake.waits.of("c-1")) == len(fake.waits.of("i-1")) == 1
    fake.commands.end("c-1", "Success", StepResult("script", "Success", 0))
    assert wake(event(**{"command-id": "c-1", "instance-id": "i-1"}), fake.world).ended == 1
    assert fake.waits.of("i-1") == ()
    assert fake.machines.outputs["token-1"] == {"command": "c-1", "instance": "i-1"}


@pytest.mark.parametrize(
    ("purpose", "error"),
    [
        ("step", StepFailed),
        ("prepare", StepFailed),
        ("inspect", Unsupported),
        ("clean", CleanFailed),
        ("seal", StopFailed),
        ("bundle", BundleFailed),
        ("verify", VerificationFailed),
        ("test", VerificationFailed),
    ],
)
def test_a_failed_command_is_called_by_its_purpose(purpose: str, error: type[KilnError]) -> None:
    fake = FakeWorld()
    failed = StepResult("script", "Failed", 3, "out", "the end of stderr")
    fake.commands.end("c-1", "Failed", failed)
    with pytest.raises(error) as found:
        await_resource(for_command(purpose), fake.world)
    said = "out" if purpose == "verify" else "the end of stderr"
    assert str(found.value) == f"step 'tune' exited 3 on i-1: {said}"


def test_a_failed_part_of_a_document_is_named() -> None:
    fake = FakeWorld()
    steps = (StepResult("lock", "Success", 0), StepResult("facts", "Failed", 2, "", ""))
    fake.commands.end("c-1", "Failed", *steps)
    with pytest.raises(StepFailed, match="step 'tune' at 'facts' exited 2 on i-1: no output"):
        await_resource(for_command(), fake.world)


def test_a_command_that_ended_without_a_step_says_how() -> None:
    fake = FakeWorld()
    fake.commands.end("c-1", "TimedOut")
    with pytest.raises(StepFailed, match="on i-1 ended as TimedOut"):
        await_resource(for_command(), fake.world)


def test_an_instance_that_dies_under_a_command_ends_the_wait() -> None:
    fake = FakeWorld()
    instance = fake.fleet.add({}, "terminated")
    wait = for_command()
    request = wait.model_copy(update={"wait": wait.wait.model_copy(update={"instance": instance})})
    with pytest.raises(
        StepFailed, match=f"{instance} is terminated .* while step 'tune' ran on it"
    ):
        await_resource(request, fake.world)


def on(instance: str, purpose: str) -> AwaitResource:
    """A wait for a command on an instance."""
    request = for_command(purpose)
    wait = request.wait.model_copy(update={"instance": instance})
    return request.model_copy(update={"wait": wait})


def test_a_seal_has_ended_when_its_instance_shuts_itself_down() -> None:
    fake = FakeWorld()
    instance = fake.fleet.add({}, "running")
    assert not await_resource(on(instance, "seal"), fake.world).done
    # Sysprep's shutdown takes the agent with it: the command may end as anything.
    fake.commands.end("c-1", "Failed", StepResult("seal", "Failed", 1, "", "cut off"))
    fake.fleet.become(instance, "stopping")
    assert await_resource(on(instance, "seal"), fake.world).done


def test_a_seal_whose_instance_begins_to_stop_between_two_looks_is_no_failure() -> None:
    fake = FakeWorld()
    instance = fake.fleet.add({})
    describe = fake.fleet.describe

    def stopping_after(asked: str) -> InstanceFacts | None:
        found = describe(asked)
        fake.fleet.become(instance, "stopping")
        return found

    fake.fleet.describe = stopping_after  # type: ignore[method-assign]
    await_resource(on(instance, "seal"), fake.world)
    assert await_resource(on(instance, "seal"), fake.world).done


def test_a_seal_that_fails_while_its_instance_runs_has_failed() -> None:
    fake = FakeWorld()
    instance = fake.fleet.add({}, "running")
    fake.commands.end("c-1", "Failed", StepResult("seal", "Failed", 1, "", "undeployable"))
    with pytest.raises(StopFailed, match="undeployable"):
        await_resource(on(instance, "seal"), fake.world)


def test_a_bundle_whose_instance_stops_has_failed() -> None:
    fake = FakeWorld()
    instance = fake.fleet.add({}, "stopping")
    with pytest.raises(BundleFailed, match="is stopping"):
        await_resource(on(instance, "bundle"), fake.world)


def test_an_instance_that_is_terminated_does_not_stop() -> None:
    fake = FakeWorld()
    instance = fake.fleet.add({}, "terminated")
    with pytest.raises(StopFailed, match="instead of stopped"):
        await_resource(a_wait(kind="instance-stopped", instance=instance), fake.world)


def test_an_image_is_waited_for_until_it_is_available_or_has_failed() -> None:
    fake = FakeWorld()
    fake.images.add(an_image(id="ami-1", state="pending"))
    assert not await_resource(a_wait(kind="image-available", image="ami-1"), fake.world).done
    fake.images.add(an_image(id="ami-1", state="available"))
    assert wake(event(ImageId="ami-1"), fake.world).ended == 1
    fake.images.add(an_image(id="ami-1", state="failed", state_reason="Client.SnapshotLimit"))
    fake.clock.move(2)
    with pytest.raises(ImageFailed, match=r"ami-1 is failed: Client\.SnapshotLimit"):
        await_resource(a_wait(kind="image-available", image="ami-1"), fake.world)


def test_waits_are_told_apart_by_their_kind() -> None:
    waits: list[Wait] = [for_command().wait, a_wait(kind="image-available", image="ami-1").wait]
    assert {type(wait).__name__ for wait in waits} == {"CommandDone", "ImageAvailable"}
