"""What is said of a command that failed: how it ended, and the end of what it said."""

from __future__ import annotations

from typing import Any

import pytest

from kiln.domain.waiting import CommandDone
from kiln.errors import KilnError, StepFailed
from kiln.ports import StepResult
from kiln.steps._looking import look
from tests.builders import BAKE, NOW
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
