"""The room of simulated Windows: images made, copied, booted, captured and forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kiln_local.machines import Birth, RunOrder
from kiln_local.windows.machine import WindowsMachine
from kiln_local.windows.room import WindowsRoom
from tests.unit.local.windows.simulated import an_around

_ONE, _TWO = "i-00000000000000001", "i-00000000000000002"


@pytest.fixture
def gone() -> list[str]:
    """Instances that went down by themselves."""
    return []


@pytest.fixture
def room(tmp_path: Path, gone: list[str]) -> Iterator[WindowsRoom]:
    """A room with a base image, removed afterwards."""
    room = WindowsRoom(tmp_path, an_around(), gone.append)
    room.add_base_image("ami-base", "windows-2019")
    yield room
    room.close()


def _launched(room: WindowsRoom, instance_id: str, image_id: str = "ami-base") -> str:
    room.create(Birth(instance_id, "windows-2019", "x86_64", "10.0.0.4", "host", None), image_id)
    room.boot(instance_id)
    return instance_id


def _run(room: WindowsRoom, instance_id: str, script: str) -> tuple[str, str]:
    step = {"name": "step", "action": "aws:runPowerShellScript", "inputs": {"runCommand": [script]}}
    order = RunOrder(instance_id, "c-1", "a-document", {"mainSteps": [step]}, {})
    done = room.run(order, lambda: room.boot(instance_id))
    return done.status, done.steps[-1].stdout


def test_an_instance_is_a_copy_that_runs_when_it_has_booted(room: WindowsRoom) -> None:
    assert (room.has_image("ami-base"), room.platform_of("ami-base")) == (True, "windows-2019")
    room.create(Birth(_ONE, "windows-2019", "x86_64", "10.0.0.4", "host", None), "ami-base")
    assert (room.has(_ONE), room.running(_ONE)) == (True, False)
    room.boot(_ONE)
    assert room.running(_ONE)
    room.shut_down(_ONE)
    assert not room.running(_ONE)


def test_what_one_instance_does_no_other_sees(room: WindowsRoom) -> None:
    _launched(room, _ONE)
    _launched(room, _TWO)
    assert _run(room, _ONE, "Set-Content C:\\mine 'x'") == ("Success", "")
    assert _run(room, _TWO, "Test-Path C:\\mine") == ("Success", "False\n")
    assert (room.root(_ONE) / "C/mine").read_bytes() == b"x\r\n"


def test_an_image_holds_what_its_instance_held(room: WindowsRoom) -> None:
    _run(room, _launched(room, _ONE), "Set-Content C:\\mine 'x'")
    room.shut_down(_ONE)
    assert room.capture(_ONE, "ami-own") > 3
    _run(room, _ONE, "Set-Content C:\\later 'x'")
    room.destroy(_ONE)
    assert not room.has(_ONE)
    _launched(room, _TWO, "ami-own")
    assert _run(room, _TWO, "Test-Path C:\\mine; Test-Path C:\\later")[1] == "True\nFalse\n"


def test_a_forgotten_image_and_a_closed_room_leave_nothing(
    room: WindowsRoom, tmp_path: Path
) -> None:
    _launched(room, _ONE)
    room.capture(_ONE, "ami-own")
    room.forget_image("ami-own")
    assert not room.has_image("ami-own")
    assert not list((tmp_path / "windows/images").iterdir())
    room.close()
    assert not (tmp_path / "windows").exists()
    assert not room.has(_ONE)


def test_an_instance_that_goes_down_by_itself_is_told_of(
    room: WindowsRoom, gone: list[str]
) -> None:
    _launched(room, _ONE)
    assert _run(room, _ONE, "'fine'")[0] == "Success"
    assert gone == []
    assert _run(room, _ONE, "Stop-Computer -Force")[0] == "InProgress"
    assert gone == [_ONE]


def test_an_instance_that_is_gone_is_not_booted(room: WindowsRoom) -> None:
    _launched(room, _ONE)
    room.destroy(_ONE)
    room.boot(_ONE)
    assert not room.running(_ONE)


def test_an_instance_that_goes_while_its_document_runs_is_gone(
    room: WindowsRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = WindowsMachine.save

    def vanishes(machine: WindowsMachine) -> None:
        room.destroy(_ONE)
        save(machine)

    _launched(room, _ONE)
    monkeypatch.setattr(WindowsMachine, "save", vanishes)
    with pytest.raises(KeyError, match=_ONE):
        _run(room, _ONE, "Set-Content C:\\mine 'x'")
