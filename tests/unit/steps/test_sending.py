"""A command is sent once, whatever dies or is doubled around SendCommand."""

from __future__ import annotations

from typing import Any

import pytest

from kiln.domain.documents import DocumentCall
from kiln.errors import AwsBusy
from kiln.ports import CommandOrder
from kiln.steps._sending import sent_once
from tests.fakes import FakeWorld
from tests.fakes.records import FakeRecords

ORDER = CommandOrder("i-1", DocumentCall("run-shell", {}, 60), "kiln b step-0", "bakes/b/step-0")


class Died(Exception):
    """The function's process is gone."""


class Dying(FakeRecords):
    """Records at which the function dies after the command was sent."""

    def __init__(self) -> None:
        super().__init__()
        self.dies = True

    def claim(self, key: str, value: str) -> str:
        if self.dies and "/intent/" not in key:
            raise Died
        return super().claim(key, value)


def sent(fake: FakeWorld) -> str:
    return sent_once("b/step-0/i-1", ORDER, fake.world)


def test_what_was_sent_is_known_by_its_key() -> None:
    fake = FakeWorld()
    assert sent(fake) == sent(fake) == "command-1"
    assert len(fake.commands.sent) == 1


def test_one_whose_function_died_after_the_call_is_found_by_its_comment() -> None:
    fake = FakeWorld(records=(records := Dying()))
    with pytest.raises(Died):
        sent(fake)
    records.dies = False
    assert sent(fake) == sent(fake) == "command-1"
    assert len(fake.commands.sent) == 1


def test_one_that_run_command_does_not_tell_of_yet_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fake = FakeWorld(records=(records := Dying()))
    with pytest.raises(Died):
        sent(fake)
    records.dies = False
    with monkeypatch.context() as patch:
        patch.setattr(fake.commands, "find", lambda *_: None)
        fake.clock.move(29)
        with pytest.raises(AwsBusy, match="does not tell of it yet"):
            sent(fake)
    assert sent(fake) == "command-1"


def test_one_whose_function_died_before_the_call_is_sent_after_a_while() -> None:
    fake = FakeWorld()
    fake.records.claim("b/step-0/i-1/intent/1", fake.clock.now().isoformat())
    with pytest.raises(AwsBusy):
        sent(fake)
    fake.clock.move(31)
    assert sent(fake) == "command-1"


def test_of_two_calls_at_once_one_sends() -> None:
    class Racing(FakeRecords):
        """The other call writes its intent between this one's look and its write."""

        def claimed(self, key: str) -> str | None:
            known = super().claimed(key)
            if "/intent/" in key and known is None:
                super().claim(key, "2026-11-23T10:14:59+00:00")
            return known

    fake: Any = FakeWorld(records=Racing())
    with pytest.raises(AwsBusy, match="is being sent"):
        sent(fake)
    assert not fake.commands.sent
