"""Line and column of a mistake in a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiln.errors import InvalidBlueprint
from kiln_cli.files import read_any
from kiln_cli.places import place_of
from tests.kiln_command import run

TOP = """\
kind: blueprint
name: web
platform: amazon-linux-2023
base: {image: ami-12345678}
"""
STACK = """\
kind: stack
name: shop
layers:
  - name: web
    kind: instances
    platform: debian-12
    instance_type: m7i.large
    blueprints:
      - {blueprint: web, stratgy: add}
"""


def refused(folder: Path, text: str) -> str:
    """What is said of a file, without its name."""
    path = folder / "file.yaml"
    path.write_text(text)
    with pytest.raises(InvalidBlueprint) as found:
        read_any(path)
    return str(found.value).removeprefix(f"{path}: ")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        # A key that is not known: where it stands, and the nearest right one.
        (f"{TOP}colour: red\n", "line 5, column 1: colour: is not a known key; allowed: kind"),
        (
            f"{TOP}buildr: {{}}\n",
            "line 5, column 1: buildr: is not a known key; did you mean builder?",
        ),
        (
            f"{TOP}steps:\n  - name: a\n    shel: x\n",
            "line 7, column 5: steps.0.shel: is not a known key; did you mean shell?",
        ),
        (
            f"{TOP}steps:\n  - {{name: a, shell: x}}\n  - {{name: b, shell: x, timeuot: 4m}}\n",
            "line 7, column 25: steps.1.timeuot: is not a known key; did you mean timeout?",
        ),
        (
            STACK,
            "line 9, column 26: layers.0.blueprints.0.stratgy: is not a known key; did you mean",
        ),
        # A value that is not allowed: where the value stands.
        (
            f"{TOP}on_failure: kep\n",
            "line 5, column 13: on_failure: 'kep' is not allowed; did you mean 'keep'?",
        ),
        (
            f"{TOP}builder:\n  volume:\n    size_gib: big\n",
            "line 7, column 15: builder.volume.size_gib: must",
        ),
        (
            f"{TOP}verify:\n  steps: [{{name: a, shell: ''}}]\n",
            "line 6, column 28: verify.steps.0.shell: the",
        ),
        (
            TOP.replace("amazon-linux-2023", "debian12"),
            "line 3, column 11: platform: 'debian12' is not a",
        ),
        # A value that is a block begins at its key.
        (f"{TOP}deadline:\n  - 4h\n", "line 5, column 1: deadline: must be text"),
        # What lacks a key: where the mapping begins.
        (TOP.replace("name: web\n", ""), "name: is required"),
        (
            f"{TOP}image:\n  tags: {{team: shop}}\nlayers:\n  - strategy: add\n",
            "line 8, column 5: layers.0.layer: is req",
        ),
        (
            f"{TOP}builder: {{volume: {{type: io2}}}}\n",
            "line 5, column 19: builder.volume: iops: is required",
        ),
        # What contradicts something else.
        (
            f"{TOP}steps: [{{name: a, powershell: x}}]\n",
            "line 5, column 31: steps.0.powershell: step 'a': power",
        ),
        # A dot in a key is no step of a path.
        (
            f"{TOP}image: {{tags: {{a.b: x, a: 5}}}}\n",
            "line 5, column 27: image.tags.a: must be text",
        ),
        (
            "kind: blueprnt\n",
            "line 1, column 7: kind: 'blueprnt' is not allowed; did you mean blueprint?",
        ),
        # What the reader of YAML says itself is said once.
        ("kind: [\n", "line 2, column 1: is not YAML"),
        ("", "is empty"),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    assert refused(tmp_path, text).startswith(said)


def test_a_script_that_is_not_there_is_told_where_it_is_named(tmp_path: Path) -> None:
    text = f"{TOP}steps:\n  - name: a\n    shell: {{file: gone.sh}}\n"
    said = refused(tmp_path, text)
    assert said.startswith("line 7, column 19: steps.0.shell.file: gone.sh does not exist")


def test_an_alias_is_followed_to_what_it_stands_for() -> None:
    text = "one: &a {type: 5}\ntwo: *a\n"
    assert str(place_of(text, "two.type: must be text")) == "line 1, column 16"


def test_what_is_about_no_key_has_no_place() -> None:
    assert place_of(TOP, "needs something else") is None
    assert place_of("", "is empty") is None


def test_validate_tells_line_and_column_to_a_program(tmp_path: Path) -> None:
    wrong, well = tmp_path / "wrong.yaml", tmp_path / "well.yaml"
    wrong.write_text(f"{TOP}colour: red\n")
    well.write_text(TOP)
    first, second = run("validate", wrong, well, "--json").json["files"]
    assert (first["line"], first["column"]) == (5, 1)
    assert first["message"].startswith(f"{wrong}: line 5, column 1: colour: is not a known key")
    assert (second["line"], second["column"], second["valid"]) == (None, None, True)
