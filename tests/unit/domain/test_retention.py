"""The rules by which images live: what a blueprint may say, and what it means in a Region."""

from __future__ import annotations

from typing import Any

import pytest

from kiln.domain.blueprint import blueprint_from
from kiln.domain.retention import Lifecycle
from kiln.errors import InvalidBlueprint
from tests.builders import a_document

AGES = {"deprecate": {"after": "30d"}, "disable": {"after": "60d"}, "delete": {"after": "90d"}}


def said(lifecycle: Any) -> Lifecycle:
    return blueprint_from(a_document(lifecycle=lifecycle)).lifecycle


def test_a_blueprint_without_rules_keeps_every_image() -> None:
    assert blueprint_from(a_document()).lifecycle.in_region("eu-west-1") == {}


def test_a_rule_may_be_a_number_an_age_or_both() -> None:
    rules = said({"delete": {"keep_last": 5, "after": "90d"}}).in_region("eu-west-1")
    assert (rules["delete"].keep_last, rules["delete"].after_s) == (5, 90 * 86_400)
    assert set(rules) == {"delete"}


def test_a_region_has_rules_of_its_own_for_what_it_names_and_the_others_beside_them() -> None:
    life = said(AGES | {"regions": {"us-east-1": {"delete": {"after": "70d"}}}})
    assert life.in_region("us-east-1")["delete"].after == "70d"
    assert life.in_region("us-east-1")["disable"].after == "60d"
    assert life.in_region("eu-west-1")["delete"].after == "90d"


def test_never_switches_a_rule_off() -> None:
    life = said(AGES | {"regions": {"us-east-1": {"delete": "never"}}})
    assert set(life.in_region("us-east-1")) == {"deprecate", "disable"}


@pytest.mark.parametrize(
    ("lifecycle", "why"),
    [
        ({"delete": {}}, r"^lifecycle\.delete: needs keep_last, after, or both$"),
        ({"delete": {"keep_last": 0}}, r"^lifecycle\.delete\.keep_last: "),
        ({"delete": {"after": "90"}}, r"^lifecycle\.delete\.after: '90' is not a duration"),
        ({"delete": {"age": "90d"}}, r"^lifecycle\.delete\.age: is not a known key; allowed: keep"),
        ({"delete": "nie"}, r"^lifecycle\.delete: 'nie' is not allowed; allowed: 'never'"),
        ({"archive": {"after": "1d"}}, r"^lifecycle\.archive: is not a known key"),
        ({"regions": {"Ireland": {}}}, r"^lifecycle\.regions\.Ireland"),
        (
            AGES | {"delete": {"after": "59d"}},
            r"^lifecycle: delete: after must be 60d or more, as disable has it",
        ),
        (
            {"deprecate": {"keep_last": 5}, "delete": {"after": "90d"}},
            r"^lifecycle: delete: keep_last must be 5 or more, as deprecate has it",
        ),
        (
            AGES | {"regions": {"us-east-1": {"disable": {"after": "100d"}}}},
            r"^lifecycle: regions\.us-east-1\.delete: after must be 100d or more",
        ),
    ],
)
def test_rules_that_say_nothing_or_contradict_each_other_are_refused(
    lifecycle: Any, why: str
) -> None:
    with pytest.raises(InvalidBlueprint, match=why):
        said(lifecycle)
