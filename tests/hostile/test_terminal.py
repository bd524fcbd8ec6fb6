"""Nothing that a file, a name or a machine says steers a terminal."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pytest

from kiln_cli import main
from kiln_cli.printing import progress
from tests.hostile.bombs import VALID
from tests.kiln_command import run

# To clear the screen, to name the window, to turn letters round, C1's own introducer.
STEERS = "a\x1b[2J\x1b]0;b\x07c\u202ed\x9be\x7f\x08f"


def steers(text: str) -> list[str]:
    """What of a text no letter is."""
    return [c for c in text if unicodedata.category(c).startswith("C") and c not in "\n\t"]


@pytest.mark.parametrize("content", [b"", VALID])
def test_the_name_of_a_file_steers_nothing(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / f"{STEERS}.yaml"
    path.write_bytes(content)
    ran = run("validate", path)
    assert steers(ran.stdout + ran.stderr) == []
    assert "a[2J]0;bcdef.yaml" in ran.stdout + ran.stderr


def test_what_a_file_holds_steers_nothing(tmp_path: Path) -> None:
    path = tmp_path / "web.yaml"
    key = json.dumps(STEERS)
    path.write_text(f"{VALID.decode()}{key}: {key}\n")
    for command in ("validate", "plan"):
        ran = run(command, path)
        assert ran.status == 2
        assert steers(ran.stdout + ran.stderr) == []


def test_a_wrong_word_steers_nothing() -> None:
    for command in ([STEERS], ["bake", STEERS, "--local"], ["validate", f"--{STEERS}"]):
        ran = run(*command)
        assert ran.status == 2
        assert steers(ran.stderr) == []


def test_what_machines_say_steers_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    progress(f"said: {STEERS}")
    main._fault(ValueError, ValueError(STEERS), None)
    assert steers(capsys.readouterr().err) == []


def test_json_holds_it_by_escapes(tmp_path: Path) -> None:
    path = tmp_path / f"{STEERS}.yaml"
    path.write_bytes(b"")
    ran = run("validate", path, "--json")
    assert steers(ran.stdout) == []
    assert ran.json["files"][0]["file"] == str(path)
