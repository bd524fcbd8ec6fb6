from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiln.errors import InvalidBlueprint
from kiln_cli.yaml12 import read_yaml

BOMB = "\n".join(
    ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("True", True),
        ("false", False),
        ("010", "010"),
        ("012345678901", "012345678901"),
        ("0", 0),
        ("0o17", 15),
        ("0x1F", 31),
        ("-3", -3),
        ("1_000", "1_000"),
        ("12:30:45", "12:30:45"),
        ("2026-11-01", "2026-11-01"),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("~", None),
        ("", None),
        ("'12'", "12"),
        ('"\\n"', "\n"),
        ("!!str 12", "12"),
        ("<<", "<<"),
        ("=", "="),
    ],
    ids=str,
)
def test_plain_scalars_mean_what_yaml_1_2_says(text: str, value: Any) -> None:
    assert read_yaml(f"key: {text}") == {"key": value}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "line 1, column 5: is not YAML"),
        ("a: 1\n b: 2", "line 2, column 3: is not YAML"),
        ("\ta: 1", "line 1, column 1: is not YAML"),
        ("a: *b", "line 1, column 4: is not YAML"),
        ("a: @x", "line 1, column 4: is not YAML"),
        ("a: 1\na: 2", "line 2, column 1: the key 'a' is given twice"),
        ("a: {b: 1, b: 1}", "line 1, column 11: the key 'b' is given twice"),
        ("a: 1\n---\nb: 2", "line 2, column 1: a second document begins"),
        ("1: a", "line 1, column 1: a key must be text"),
        ("? [a]\n: b", "line 1, column 3: a key must be text"),
        ("a: !!python/object/apply:os.system [x]", "the tag !!python/object/apply:os.system"),
        ("a: !secret x", "the tag !secret is not allowed"),
        ("a: !!binary aGk=", "the tag !!binary is not allowed"),
        ("a: .inf", "no number that JSON knows"),
        ("a: -.INF", "no number that JSON knows"),
        ("a: .nan", "no number that JSON knows"),
        ("a: 1e999", "no number that JSON knows"),
        (f"a: {'9' * 5000}", "larger than a JSON number can be"),
        ("a: !!int x", "'x' is not a whole number"),
        ("a: !!bool x", "'x' is neither true nor false"),
        ('a: "\\0"', "holds a NUL character"),
        ('a: "\\ud800"', "half a surrogate pair"),
        ("a: \x07", "line 1: holds U+0007"),
        ("", "is empty"),
        ("# nothing", "is empty"),
        ("[" * 100_000, "line 1, column 52: is nested deeper than 50 levels"),
        ("{a: " * 100_000, "line 1, column 205: is nested deeper than 50 levels"),
        ("[" * 52 + "]" * 52, "line 1, column 52: is nested deeper than 50 levels"),
        ("- " * 100_000, "line 1, column 103: is nested deeper than 50 levels"),
        ("".join(f"{'  ' * n}a:\n" for n in range(100)), "line 52, column 104: is nested deeper"),
        ("a: &a [*a]", "nested deeper"),
        (BOMB, "holds more than 50000 values"),
    ],
    ids=lambda text: text[:24],
)
def test_what_is_no_document_is_refused_in_one_line_with_its_place(text: str, message: str) -> None:
    with pytest.raises(InvalidBlueprint) as refused:
        read_yaml(text)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_what_is_nested_as_deep_as_allowed_is_read() -> None:
    assert read_yaml("[" * 51 + "]" * 51) == json.loads("[" * 51 + "]" * 51)


def test_an_alias_is_what_it_stands_for() -> None:
    assert read_yaml("a: &x {b: 1}\nc: *x") == {"a": {"b": 1}, "c": {"b": 1}}


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text(st.characters(codec="utf-8", exclude_characters="\0")),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text("ab<=~y!*&\"'"), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.text("abc", min_size=1), JSON_VALUES, min_size=1, max_size=4))
def test_json_is_read_as_itself(document: dict[str, Any]) -> None:
    assert read_yaml(json.dumps(document)) == document


@given(st.text(max_size=200))
def test_any_text_is_a_value_or_one_line(text: str) -> None:
    message = ""
    try:
        json.dumps(read_yaml(text), allow_nan=False)
    except InvalidBlueprint as refused:
        message = str(refused)
    assert "\n" not in message
