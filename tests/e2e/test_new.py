"""What `kiln new` writes bakes as it stands; on every platform the checks before a bake pass."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kiln.domain.platforms import PLATFORMS
from kiln_cli import baking, opening
from kiln_cli.opening import Opened
from tests.e2e.running import ROOT, SPEED, bake
from tests.kiln_command import run

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def fresh() -> Iterator[Opened]:
    """A local AWS with nothing applied."""
    with opening.opened({"local": True, "project": ROOT, "speed": SPEED}) as opened:
        yield opened


def written(folder: Path, name: str, platform: str) -> Path:
    """A new blueprint's file."""
    path = folder / "blueprints" / f"{name}.yaml"
    assert run("new", "blueprint", name, "--platform", platform, "-o", path).status == 0
    return path


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_new_blueprint_passes_the_checks_before_a_bake(
    fresh: Opened, tmp_path: Path, platform: str
) -> None:
    path = written(tmp_path, "web", platform)
    plan = baking.check(baking.wanted_from(str(path), path, fresh.place), fresh.place)
    assert plan.instance_types == plan.blueprint.builder.instance_types


@pytest.mark.parametrize("platform", ["amazon-linux-2023", "debian-12", "windows-2022"])
def test_a_new_blueprint_bakes_as_it_stands(fresh: Opened, tmp_path: Path, platform: str) -> None:
    made = bake(written(tmp_path, f"new-{platform}", platform), fresh)
    assert made.bake.status == "SUCCEEDED", made.bake.cause
    # The step on the builder, the test on the clone.
    ran = [command.status for command in made.commands if "-run-" in command.document]
    assert ran == ["Success", "Success"]
