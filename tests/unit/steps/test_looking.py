"""What is said of a command that failed: how it ended, and the end of what it said."""

from __future__ import annotations

from typing import Any

import pytest

from kiln.domain.deployment import Deployment
from kiln.domain.waiting import CommandDone
from kiln.errors import DeployFailed, KilnError, StepFailed
from kiln.ports import StepResult
from kiln.steps._looking import look
from tests.builders import BAKE, NOW, a_document, a_plan, a_record, a_stack
from tests.fakes import FakeWorld


def for_command(purpose: str = "step") -> CommandDone:
    """A wait for a command on i-1."""
    return CommandDone.model_validate(
        {
            "kind": "command-done",
            "bake": BAKE,
            "since": NOW.isoformat(),
            "timeout_s": 600,
            "instance": "i-1",
            "command": "c-1",
            "purpose": purpose,
            "label": "step 'tune'",
        }
    )


@pytest.mark.parametrize(
    ("purpose", "stream", "most"), [("step", "stderr", 8_000), ("verify", "stdout", 24_000)]
)
def test_the_end_of_a_long_output_is_said_though_run_command_shows_its_beginning(
    purpose: str, stream: str, most: int
) -> None:
    whole = "noise\n" * 100_000 + "the reason stands here: \u00fc\n"
    fake = FakeWorld()
    fake.objects.bodies["bakes/x/out"] = whole.encode()
    said: dict[str, Any] = {stream: whole[:most], f"{stream}_key": "bakes/x/out"}
    fake.commands.end("c-1", "Failed", StepResult("script", "Failed", 3, **said))
    with pytest.raises(KilnError) as found:
        look(for_command(purpose), fake.world)
    told = str(found.value)
    assert told.startswith("step 'tune' exited 3 on i-1: ...")
    assert told.endswith("noise\nthe reason stands here: \u00fc")
    assert len(told) < 2_000


def test_the_beginning_of_an_output_is_said_where_the_whole_is_not_in_the_bucket() -> None:
    fake = FakeWorld()
    cut = StepResult("script", "Failed", 3, "", "noise\n" * 2_000, stderr_key="bakes/x/out")
    fake.commands.end("c-1", "Failed", cut)
    with pytest.raises(StepFailed, match=r"exited 3 on i-1: \.\.\.\n(noise\n)+noise$"):
        look(for_command(), fake.world)


def test_a_script_that_was_killed_is_told_from_one_that_failed() -> None:
    fake = FakeWorld()
    fake.commands.end("c-1", "TimedOut", StepResult("script", "TimedOut", 137, "", "so far"))
    with pytest.raises(StepFailed, match=r"'tune' was killed \(137: its timeout .*on i-1: so far"):
        look(for_command(), fake.world)


SECRET = "hunter2-hunter2"


def failed_with(said: str) -> FakeWorld:
    """A world where the command has failed with these words."""
    fake = FakeWorld()
    fake.commands.end("c-1", "Failed", StepResult("script", "Failed", 3, "", said))
    return fake


def test_a_step_that_tells_a_secret_of_its_environment_is_quoted_without_it() -> None:
    fake = failed_with(f"x\n{SECRET} was refused for bob")
    told = {"name": "tune", "shell": "x", "environment": {"DB_PASSWORD": SECRET, "WHO": "for bob"}}
    fake.records.add_bake(a_record(a_plan(a_document(steps=[told]))))
    with pytest.raises(StepFailed, match=r"i-1: x\n\*\*\* was refused for bob$"):
        look(for_command(), fake.world)


def test_an_end_that_would_begin_within_a_secret_has_none_of_it() -> None:
    fake = failed_with(SECRET * 3 + "y" * 1_480)
    told = {"name": "tune", "shell": "x", "environment": {"DB_PASSWORD": SECRET}}
    fake.records.add_bake(a_record(a_plan(a_document(steps=[told]))))
    with pytest.raises(StepFailed) as found:
        look(for_command(), fake.world)
    assert "hunter2" not in str(found.value)


def test_recipes_that_tell_a_secret_of_custom_json_are_quoted_without_it() -> None:
    fake = failed_with(f"{SECRET}1 {SECRET}2 {SECRET}3 no")
    layer = {"custom_json": {"db": {"password": f"{SECRET}2"}}}
    stack = a_stack(custom_json={"token": f"{SECRET}1"})
    changed = stack.layers[0].model_copy(update=layer)
    fake.records.put_stack(stack.model_copy(update={"layers": (changed,)}))
    given = {"id": "d-1", "stack": stack.name, "command": "deploy", "instances": ("i",)}
    more = {"by": "me", "at": NOW.isoformat(), "custom_json": {"api_key": f"{SECRET}3"}}
    fake.deployments.put(Deployment.model_validate(given | more))
    wait = for_command("deploy").model_copy(update={"stack": stack.name, "deployment": "d-1"})
    with pytest.raises(DeployFailed, match=r"i-1: \*\*\* \*\*\* \*\*\* no$"):
        look(wait, fake.world)
