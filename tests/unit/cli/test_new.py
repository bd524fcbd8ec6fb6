"""Files to begin with: valid as they stand, found by an editor, never written over."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from kiln.domain.platforms import PLATFORMS
from kiln_cli.files import read_blueprint, read_stack
from tests.kiln_command import run

ROOT = Path(__file__).parents[3]


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current folder with nothing in it."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def schema_of(path: Path) -> Path:
    """The schema that a file's first line names, as an editor finds it."""
    first = path.read_text().splitlines()[0]
    assert first.startswith("# yaml-language-server: $schema=")
    return (path.parent / first.partition("=")[2]).resolve()


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_blueprint_of_every_platform_is_valid_and_obeys_its_schema(
    empty: Path, platform: str
) -> None:
    assert run("new", "blueprint", "web", "--platform", platform).status == 0
    path = empty / "blueprints" / "web.yaml"
    found = read_blueprint(path).blueprint
    assert (found.name, found.platform) == ("web", platform)
    assert found.steps
    assert found.verify.steps
    schema = json.loads(schema_of(path).read_text())
    Draft202012Validator(schema).validate(yaml.safe_load(path.read_text()))


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_stack_of_every_platform_is_valid_and_obeys_its_schema(
    empty: Path, platform: str
) -> None:
    assert run("new", "stack", "shop", "--platform", platform).status == 0
    path = empty / "stacks" / "shop.yaml"
    (layer,) = read_stack(path).stack.layers
    assert layer.platform == platform
    schema = json.loads(schema_of(path).read_text())
    Draft202012Validator(schema).validate(yaml.safe_load(path.read_text()))


def test_a_project_without_schemas_gets_the_one_that_is_shipped(empty: Path) -> None:
    ran = run("new", "stack", "shop", "--json")
    assert ran.json == {
        "file": "stacks/shop.yaml",
        "schema": "../schemas/stack.json",
        "platform": "amazon-linux-2023",
    }
    shipped = (empty / "schemas" / "stack.json").read_text()
    assert shipped == (ROOT / "schemas" / "stack.json").read_text()


def test_a_schema_that_is_above_is_named_and_left_as_it_is(empty: Path) -> None:
    (empty / "schemas").mkdir()
    (empty / "schemas" / "blueprint.json").write_text("{}")
    below = empty / "teams" / "shop" / "web.yaml"
    assert run("new", "blueprint", "web", "-o", below).status == 0
    assert schema_of(below) == empty / "schemas" / "blueprint.json"
    assert (empty / "schemas" / "blueprint.json").read_text() == "{}"


def test_what_is_there_is_not_written_over(empty: Path) -> None:
    path = empty / "blueprints" / "web.yaml"
    path.parent.mkdir()
    path.write_text("mine")
    ran = run("new", "blueprint", "web")
    assert ran.status == 2
    assert "blueprints/web.yaml is there already and is not written over" in ran.error
    assert path.read_text() == "mine"
    assert not (empty / "schemas").exists()


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("Web Server",), "'Web Server' is no name; allowed: a-z, 0-9 and -"),
        (("web", "--platform", "ubuntu-2404"), "did you mean ubuntu-24.04? allowed: amazon"),
        (("web", "--platform", "beos"), "beos is not known; allowed: amazon-linux-1"),
    ],
)
def test_what_cannot_be_is_one_line(empty: Path, args: tuple[str, ...], says: str) -> None:
    ran = run("new", "blueprint", *args)
    assert (ran.status, says in ran.error) == (2, True)
    assert not list(empty.iterdir())
