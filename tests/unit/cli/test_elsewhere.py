"""The parts that imports share: names, platforms, settings, notes, values that grow."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiln.domain.blueprint import Blueprint
from kiln.errors import InvalidRequest
from kiln_cli.elsewhere.fitting import fit
from kiln_cli.elsewhere.names import image_name
from kiln_cli.elsewhere.notes import MOST_LINES, Notes
from kiln_cli.elsewhere.platforms import architecture_in, newest_base, platform_in
from kiln_cli.elsewhere.settings import Settings
from kiln_cli.elsewhere.values import STAMP, Budget, opened
from kiln_cli.packer.functions import FUNCTIONS

AMI = "ami-0123456789abcdef0"


@pytest.mark.parametrize(
    ("text", "platform"),
    [
        ("ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-*", "ubuntu-24.04"),
        ("ubuntu-server-22-lts-x86", "ubuntu-22.04"),
        ("al2023-ami-2023.*-x86_64", "amazon-linux-2023"),
        ("amzn2-ami-hvm-*-x86_64-gp2", "amazon-linux-2"),
        ("Amazon Linux 2", "amazon-linux-2"),
        ("amazon-linux-2023-x86", "amazon-linux-2023"),
        ("amzn-ami-hvm-*", "amazon-linux-1"),
        ("RHEL-10.0.0_HVM-*", "rhel-10"),
        ("CentOS Linux 7 x86_64*", "centos-7"),
        ("/aws/service/debian/release/12/latest/amd64", "debian-12"),
        ("Windows_Server-2012-R2_RTM-English-64Bit-Base-*", "windows-2012-r2"),
        ("windows-server-2019-english-full-base-x86", "windows-2019"),
        ("web server 2000", None),
        ("ubuntu-26.04", None),
        (None, None),
    ],
)
def test_platforms_are_told_by_the_names_of_images(text: str | None, platform: str | None) -> None:
    assert platform_in(text) == platform


def test_the_newest_base_goes_by_the_architecture_that_names_tell() -> None:
    assert architecture_in("m7g.large").value == "arm64"
    assert architecture_in("m7i.large", "ubuntu-arm64").value == "arm64"
    assert architecture_in(None, "g5.large").value == "x86_64"
    red_hat = newest_base("rhel-9", architecture_in("aarch64"))
    assert red_hat == {"lookup": {"owner": "309956199498", "name": "RHEL-9.*_HVM-*-arm64-*"}}


@given(st.text(max_size=300) | st.just(f"a{STAMP}"))
def test_any_name_of_an_image_is_one_that_ec2_takes(text: str) -> None:
    name, said = image_name(f"x{text}")
    Blueprint.model_validate(
        {"kind": "blueprint", "name": "a", "platform": "debian-12", "base": {"image": AMI},
         "image": {"name": name}}
    )  # fmt: skip
    assert "{date}" in name or "{time}" in name
    assert said or STAMP in text


def test_settings_are_taken_once_and_what_is_left_is_named() -> None:
    notes = Notes()
    one = Settings(
        {"n": "7", "t": 7, "f": "yes", "l": "a", "m": [{"key": "a", "value": 1}], "o": 0,
         "e": "", "u": opened("${x}", "x has no value"), "q": 1},
        "it", notes,
    )  # fmt: skip
    assert (one.whole("n"), one.text("t"), one.flag("f")) == (7, "7", None)
    assert (one.texts("l"), one.mapping("m"), one.text("u")) == (["a"], {"a": "1"}, None)
    one.finish({"o": "is nought", "q": ""}, "unknown")
    assert [(note.field, note.reason) for note in notes.dropped] == [
        ("f", "'yes' is neither true nor false"),
        ("o", "is nought"),
    ]
    assert [note.reason for note in notes.wanted] == ["${x}: x has no value"]


def test_what_a_blueprint_refuses_is_left_out_and_named() -> None:
    notes = Notes()
    document: dict[str, Any] = {
        "kind": "blueprint",
        "name": "web",
        "platform": "debian-12",
        "base": {"image": AMI},
        "builder": {"volume": {"size_gib": 99_999}, "instance_types": ["t3.micro", "no"]},
        "distribute": {"regions": [{"region": "nowhere"}], "fast_launch": {}},
        "rebuild": {"schedule": "soon"},
        "image": {"tags": {"aws:x": "y", "team": "shop"}},
    }
    fit(document, "it", notes)
    assert document["builder"] == {"instance_types": ["t3.micro"]}
    assert "distribute" not in document
    assert "rebuild" not in document
    assert document["image"] == {"tags": {"team": "shop"}}
    assert len(notes.dropped) == 6
    with pytest.raises(InvalidRequest, match=r"it cannot be written: base: needs exactly one of"):
        fit(document | {"base": {}}, "it", notes)


def test_a_thousand_notes_are_told_in_some_lines() -> None:
    notes = Notes()
    for number in range(1_000):
        notes.drop("it", f"field{number}", "no")
    said = notes.said()
    assert len(said) == MOST_LINES + 1
    assert said[-1] == ("and", "600 more like these; --json has them all")


def test_values_that_grow_are_counted_as_they_would_be_written() -> None:
    budget = Budget()
    value: Any = ["x"]
    for _ in range(4):
        value = [value] * 10
        budget.whole(value)
    for _ in range(16):
        value = [value] * 10
    with pytest.raises(InvalidRequest, match="grow without end"):
        budget.whole(value)


@pytest.mark.parametrize(
    ("name", "arguments", "value"),
    [
        ("replace", ("a.b", ".", "-"), "a-b"),
        ("split", (",", "a,b"), ["a", "b"]),
        ("format", ("%s %% %03d %q", "a", 7, "b"), 'a % 007 "b"'),
        ("flatten", ([[1, [2]], 3],), [1, 2, 3]),
        ("distinct", ([1, 1, 2],), [1, 2]),
        ("element", ([1, 2, 3], 4), 2),
        ("lookup", ({"a": 1}, "b", 2), 2),
        ("coalesce", ("", None, "x"), "x"),
        ("compact", (["", "a", None],), ["a"]),
        ("keys", ({"b": 1, "a": 2},), ["a", "b"]),
        ("values", ({"b": 1, "a": 2},), [2, 1]),
        ("jsonencode", ({"a": [1]},), '{"a":[1]}'),
        ("base64decode", ("eA==",), "x"),
        ("trimprefix", ("abc", "a"), "bc"),
        ("tonumber", ("1.5",), 1.5),
        ("tobool", ("true",), True),
        ("title", ("a b",), "A B"),
        ("chomp", ("a\n",), "a"),
        ("concat", ([1], [2]), [1, 2]),
        ("try", (opened("x", "y"), 1), 1),
        ("can", (opened("x", "y"),), False),
        ("legacy_isotime", ("2006",), "\ue001"),
        ("formatdate", ("hh:mm", STAMP), "\ue002"),
    ],
)
def test_functions_of_hcl2(name: str, arguments: tuple[Any, ...], value: Any) -> None:
    assert FUNCTIONS[name](*arguments) == value
