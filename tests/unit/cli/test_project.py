from __future__ import annotations

from pathlib import Path

import pytest

from kiln_cli.project import default_stacks, find_blueprint, project_root

ROOT = Path(__file__).parents[3]


def a_project(folder: Path) -> Path:
    """The files that make a folder a project."""
    for name in ("template.yaml", "statemachine/bake.asl.yaml", "stacks/shop.yaml"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    (folder / "blueprints").mkdir()
    (folder / "blueprints" / "web.yaml").write_text("")
    return folder


def test_the_project_is_found_upwards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = a_project(tmp_path)
    monkeypatch.chdir(project / "blueprints")
    assert project_root() == project


def test_elsewhere_it_is_the_one_that_kiln_came_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert project_root() == ROOT


def test_the_stacks_are_those_beside_the_blueprint_then_those_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = a_project(tmp_path / "project")
    lonely = tmp_path / "a" / "b" / "web.yaml"
    monkeypatch.chdir(tmp_path)
    assert default_stacks(project / "blueprints" / "web.yaml") == [Path("project/stacks/shop.yaml")]
    assert default_stacks(lonely) == []
    monkeypatch.chdir(project)
    assert default_stacks(lonely) == [Path("stacks/shop.yaml")]


def test_a_name_is_a_blueprint_of_the_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(a_project(tmp_path))
    assert find_blueprint("web") == Path("blueprints/web.yaml")
    assert find_blueprint("other") is None


@pytest.mark.parametrize("target", ["gone.yaml", "gone.yml", "x/gone"])
def test_what_looks_like_a_file_is_one(target: str) -> None:
    assert find_blueprint(target) == Path(target)
