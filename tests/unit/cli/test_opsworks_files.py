"""Files of saved output: which are read, what is written; any is imported, or refused in a line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiln.domain.stack import Stack, stack_from
from kiln.errors import InvalidRequest
from kiln_cli.elsewhere.writing import as_yaml, survives
from kiln_cli.files import read_stack
from kiln_cli.opsworks.export import read_export
from kiln_cli.opsworks.fields import FLAG, MAP, NUMBER, REASONS, SHAPES, TEXT, TEXTS, WHOLE
from kiln_cli.yaml12 import read_yaml
from tests.kiln_command import run
from tests.unit.cli.test_opsworks import STACK, everything


def write(folder: Path, name: str, document: Any) -> Path:
    path = folder / name
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


def test_files_in_any_order_become_a_stack_file_that_is_valid(tmp_path: Path) -> None:
    paths = [
        write(tmp_path, f"{kind}.json", {kind: found})
        for kind, found in reversed(everything().items())
    ]
    paths.append(write(tmp_path, "rds.json", {"RdsDbInstances": [{"DbInstanceIdentifier": "x"}]}))
    ran = run("import", "opsworks", *paths)
    assert ran.status == 0, ran.stderr
    assert "not carried over: RdsDbInstances of 1 object(s)" in ran.stderr
    file = write(tmp_path, "shop.yaml", ran.stdout)
    assert len(read_stack(file).stack.layers) == 2
    assert "# Not carried over: LayerId of layer web, layer app" in ran.stdout
    as_json = run("import", "opsworks", *paths, "--json").json["stacks"][0]
    assert as_json["document"] == read_yaml(ran.stdout)
    assert {"object": "layer web", "field": "LayerId"}.items() <= next(
        row for row in as_json["dropped"] if row["object"] == "layer web"
    ).items()
    assert as_json["file"] is None


def test_several_stacks_want_a_folder_and_no_file_is_written_over(tmp_path: Path) -> None:
    objects = everything() | {"Stacks": [STACK, STACK | {"StackId": "s-2", "Name": "bank"}]}
    path = write(tmp_path, "all.json", objects)
    assert "there are several stacks: shop, bank" in run("import", "opsworks", path).error
    assert "is one file" in run("import", "opsworks", path, "-o", tmp_path / "x.yaml").error
    made = run("import", "opsworks", path, "-o", tmp_path / "stacks", "--json").json["stacks"]
    assert [Path(row["file"]).name for row in made] == ["shop.yaml", "bank.yaml"]
    assert all(isinstance(read_stack(Path(row["file"])).stack, Stack) for row in made)
    again = run("import", "opsworks", path, "-o", tmp_path / "stacks")
    assert (again.status, again.stdout) == (2, "")
    assert "--force writes over it" in again.error
    assert run("import", "opsworks", path, "-o", tmp_path / "stacks", "--force").status == 0


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("{", "is not JSON"),
        ("[]", "holds none of Stacks"),
        ('{"Reservations": []}', "holds none of Stacks"),
        ('{"Stacks": {}}', "Stacks: must be a list"),
        ('{"Stacks": [7]}', "Stacks.0: must be a mapping, not 7"),
        ('{"Stacks": [{"Name": "x"}]}', "Stacks.0.StackId: is required"),
        ('{"Stacks": [{"StackId": 7}]}', "Stacks.0.StackId: must be text, not 7"),
        ('{"Stacks": [null]}', "Stacks.0: must not be null"),
        ('{"Stacks": [{"StackId": "s", "x": 1e999}]}', "1e999, which is larger than"),
        ('{"Stacks": [{"StackId": "s", "x": 100000000000000000000}]}', "which is larger than"),
        ('{"Stacks": [' + "{}," * 250_000 + "{}]}", "holds too much; save the output of one"),
        (
            json.dumps({"Stacks": [{"StackId": f"s{n}"} for n in range(2_001)]}),
            "Stacks: there are more than 2000; save the output of one stack at a time",
        ),
        ('{"Stacks": [], "Other": 1}', "Other: is no list"),
        ('{"Stacks": []}', "no file holds Stacks"),
        ('{"Layers": []}', "no file holds Stacks"),
        ('{"Stacks": [], "Stacks": []}', "holds the key 'Stacks' twice"),
        ('{"Stacks": [{"StackId": "s", "Attributes": {"x": NaN}}]}', "NaN, which is no JSON"),
        ("[" * 100_000, "is nested too deep"),
        (
            '{"Stacks": [{"StackId": "s"}], "Layers": [{"LayerId": "l", "StackId": "t"}]}',
            "layer l is of stack t, which no file describes",
        ),
        (
            '{"Stacks": [{"StackId": "s"}, {"StackId": "s", "Name": "x"}]}',
            "s is described twice, and differently",
        ),
        (
            '{"Stacks": [{"StackId": "s"}], "LoadBasedAutoScalingConfigurations": '
            '[{"LayerId": "l"}]}',
            "l is described by no file",
        ),
    ],
)
def test_what_is_no_output_of_opsworks_is_refused_in_one_line(
    tmp_path: Path, document: str, said: str
) -> None:
    ran = run("import", "opsworks", write(tmp_path, "x.json", document))
    assert (ran.status, ran.stdout) == (2, "")
    assert said in ran.error


def test_two_files_may_hold_the_same_objects_many_as_they_are(tmp_path: Path) -> None:
    stack = {"StackId": "s", "DefaultOs": "Ubuntu 18.04 LTS"}
    layers = [{"StackId": "s", "LayerId": f"l{n}"} for n in range(2_000)]
    whole = {"Stacks": [stack], "Layers": layers}
    paths = [write(tmp_path, name, whole) for name in ("a.json", "b.json")]
    assert len(read_export(paths).objects["Layers"]) == 2_000


def test_a_platform_that_kiln_does_not_know_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "all.json", everything())
    assert (
        "--platform: beos is none of" in run("import", "opsworks", path, "--platform", "beos").error
    )


# ------------------------------------------------------------ any export

_ANY = st.text(max_size=12) | st.sampled_from(
    ["s-1", "l-1", "i-1", "web", "Custom", "Ubuntu 18.04 LTS", "timer", "load", "git", "{}", "12"]
)


def of_shape(shape: Any) -> st.SearchStrategy[Any]:
    """Values of a shape, each field there or not."""
    if isinstance(shape, list):
        return st.lists(of_shape(shape[0]), max_size=3)
    if isinstance(shape, dict):
        return st.fixed_dictionaries(
            {}, optional={key: of_shape(inner) | st.none() for key, inner in shape.items()}
        )
    return {
        TEXT: _ANY,
        WHOLE: st.integers(-5, 2**40),
        NUMBER: st.floats(allow_nan=False, allow_infinity=False),
        FLAG: st.booleans(),
        MAP: st.dictionaries(_ANY, _ANY | st.integers() | st.none(), max_size=3),
    }[shape]


def objects_of(kind: str) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Objects of a kind, most of them related to the one stack and its layer."""
    ids = {
        "Stacks": {"StackId": "s-1"},
        "Layers": {"StackId": "s-1", "LayerId": "l-1"},
        "Instances": {"StackId": "s-1", "InstanceId": "i-1", "LayerIds": ["l-1"]},
        "LoadBasedAutoScalingConfigurations": {"LayerId": "l-1"},
        "TimeBasedAutoScalingConfigurations": {"InstanceId": "i-1"},
    }.get(kind, {})
    related = of_shape(SHAPES[kind]).map(lambda one: one | ids)
    least = 1 if kind in ("Stacks", "Layers", "Instances") else 0
    kin = st.lists(related, min_size=least, max_size=1)
    # One list in twenty has objects that nothing else knows: most exports then are refused.
    strangers = st.lists(of_shape(SHAPES[kind]), max_size=2)
    return st.integers(1, 20).flatmap(lambda n: strangers if n == 20 else kin)


@given(st.fixed_dictionaries({kind: objects_of(kind) for kind in SHAPES}))
def test_any_export_is_imported_or_refused_in_one_line(
    tmp_path_factory: pytest.TempPathFactory, objects: dict[str, Any]
) -> None:
    folder = tmp_path_factory.mktemp("any")
    path = write(folder, "all.json", objects)
    ran = run("import", "opsworks", path, "-o", folder / "out", "--json", "--platform", "debian-12")
    if ran.status == 2:
        assert len(ran.stderr.splitlines()) == 1
        assert ran.json["message"]
        return
    assert ran.status == 0, ran.stderr
    for row in ran.json["stacks"]:
        read = read_stack(Path(row["file"]))
        assert read.stack == stack_from(row["document"])
    named = {
        part for s in ran.json["stacks"] for r in s["dropped"] for part in r["field"].split(".")
    }
    for kind, found in objects.items():
        for one in found:
            lost = {k for k, v in one.items() if k in REASONS[kind] and v not in (None, "", [], {})}
            deep = {k for k in lost if isinstance(one[k], dict)}
            assert lost - deep <= named


@given(st.recursive(_ANY | st.integers(-(2**53), 2**53) | st.booleans() | st.none(),
                    lambda inner: st.lists(inner, max_size=3)
                    | st.dictionaries(_ANY, inner, max_size=3)))  # fmt: skip
def test_whatever_survives_reads_back_as_it_was(value: Any) -> None:
    if survives(value):
        assert read_yaml(as_yaml(value)) == value
    else:
        # Only what no file can hold: a NUL, a lone half of a character, nothing at all.
        text = json.dumps(value)
        assert value is None or "\\u" in text or "\\x" in text


def test_reading_refuses_a_folder_and_a_file_that_is_gone(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="is a folder"):
        read_export([tmp_path])
    with pytest.raises(InvalidRequest, match="does not exist"):
        read_export([tmp_path / "no.json"])


def test_every_reason_is_of_a_field_that_there_is() -> None:
    assert REASONS.keys() == SHAPES.keys()
    for kind, reasons in REASONS.items():
        assert reasons.keys() <= SHAPES[kind].keys()
    assert SHAPES["Layers"]["Packages"] == TEXTS
