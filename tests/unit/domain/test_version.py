"""What a stored version of a blueprint is, and what could not be baked from one."""

from __future__ import annotations

from typing import Any

import pytest

from kiln.domain.version import check_storable, is_same, split_version
from kiln.errors import InvalidBlueprint
from tests.builders import a_document, a_version


def test_a_version_is_named_behind_an_at() -> None:
    assert (split_version("web@7"), split_version("web")) == (("web", 7), ("web", None))
    assert a_version(7).label == "web@7"
    assert a_version().parsed.name == "web"


def test_documents_are_compared_as_json() -> None:
    assert is_same({"a": 1, "b": 2}, {"b": 2, "a": 1})
    assert not is_same({"a": 1}, {"a": True})
    assert not is_same({"a": 1}, {"a": 1.0})


@pytest.mark.parametrize(
    ("steps", "key"),
    [
        ({"steps": [{"name": "tune", "shell": {"file": "tune.sh"}}]}, "steps.0"),
        ({"verify": {"steps": [{"name": "t", "shell": {"file": "t.sh"}}]}}, "verify.steps.0"),
    ],
)
def test_a_script_that_is_only_a_file_somewhere_is_not_stored(
    steps: dict[str, Any], key: str
) -> None:
    with pytest.raises(InvalidBlueprint, match=f"{key}: a script that is a file beside the blue"):
        check_storable(a_document(**steps))


def test_what_no_item_of_the_table_holds_is_refused_before_it_is_stored() -> None:
    scripts = [{"name": f"s{n}", "shell": "echo " + "\N{SNOWMAN}" * 11_000} for n in range(10)]
    with pytest.raises(InvalidBlueprint, match=r"has 32\d KiB; 300 KiB can be stored: keep"):
        check_storable(a_document(steps=scripts))
    check_storable(a_document(steps=scripts[:9]))
