"""A new user follows the tutorial word for word."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.blocks import blocks
from tests.docs.test_commands import TUTORIAL, free_port
from tests.e2e.running import ROOT

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]
# What a clone has and a user's commands write into.
OWN = ("blueprints", "stacks", "schemas")


def a_clone(folder: Path) -> Path:
    """The folder of a clone that was set up, without what is git's and make's."""
    for path in ROOT.iterdir():
        if path.name in OWN:
            shutil.copytree(path, folder / path.name)
        elif not path.name.startswith("."):
            (folder / path.name).symlink_to(path)
    (folder / ".venv").symlink_to(Path(sys.executable).parents[1])
    return folder


def test_the_tutorial_does_what_it_says(tmp_path: Path) -> None:
    """In one shell, as it would be typed; but for `make setup`, which was done, and the port."""
    folder = a_clone(tmp_path)
    text = "\n".join(block.text for block in blocks("sh", TUTORIAL))
    assert "make setup\n" in text
    text = text.replace("make setup\n", "")
    text = re.sub(r"\b4566\b", str(free_port()), text)
    # A shell that reads from a terminal has job control.
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-m", "-c", text],
        cwd=folder,
        env={key: value for key, value in os.environ.items() if not key.startswith("AWS_")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, f"{ran.stdout}\n{ran.stderr}"
    said = " ".join(ran.stdout.split())
    assert "exit status 1" in said
    assert "VerificationFailed" in said
    assert said.count("online") >= 4
    for page, word in (("hello.html", "SUCCEEDED"), ("failed.html", "VerificationFailed")):
        assert word in (folder / page).read_text()
