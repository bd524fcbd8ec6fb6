"""What Packer and Image Builder did, imported and baked: the steps really run, the tests too."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kiln_cli.files import read_blueprint
from kiln_cli.opening import Opened
from kiln_cli.result import BakeResult
from tests import foreign
from tests.e2e.running import bake
from tests.kiln_command import run

pytestmark = pytest.mark.timeout(120)
IMPORTS: dict[str, Callable[[Path], list[object]]] = {
    "packer json": lambda folder: ["packer", foreign.packer_json(folder)],
    "packer hcl": lambda folder: ["packer", foreign.packer_hcl(folder)],
    "image builder": lambda folder: ["image-builder", *foreign.image_builder(folder)],
}


def imported(kind: str, folder: Path) -> Path:
    """The file that an import writes."""
    path = folder / "blueprints" / "imported.yaml"
    ran = run("import", *IMPORTS[kind](folder), "-o", path)
    assert ran.status == 0, ran.stderr
    return path


def baked(kind: str, folder: Path, at: Opened) -> BakeResult:
    """How the bake of an import ends: well, with every command run."""
    path = imported(kind, folder)
    result = bake(path, at)
    assert result.bake.status == "SUCCEEDED", result.bake
    assert result.leaks == ()
    own = [command for command in result.commands if command.document == "kiln-run-shell"]
    assert all(command.ran and command.status == "Success" for command in own)
    blueprint = read_blueprint(path).blueprint
    scripts = [step for step in (*blueprint.steps, *blueprint.verify.steps) if step.shell]
    assert len(own) == len(scripts)
    return result


def test_imported_files_are_valid_and_one_of_packers_is_baked(tmp_path: Path, at: Opened) -> None:
    for kind in IMPORTS:
        ran = run("validate", imported(kind, tmp_path / kind))
        assert ran.status == 0, ran.stderr
    result = baked("packer json", tmp_path, at)
    assert result.image is not None
    assert result.image.tags.items() >= {"team": "shop", "kiln:blueprint": "web"}.items()
    assert {place.region for place in result.places} >= {"us-east-1"}


@pytest.mark.long
@pytest.mark.parametrize("kind", ["packer hcl", "image builder"])
def test_others_are_baked_too(kind: str, tmp_path: Path, at: Opened) -> None:
    result = baked(kind, tmp_path, at)
    assert result.image is not None
