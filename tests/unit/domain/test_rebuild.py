"""Rebuilds: what a blueprint may say of them."""

from __future__ import annotations

import pytest

from kiln.domain.blueprint import blueprint_from
from kiln.domain.rebuild import Rebuild
from kiln.errors import InvalidBlueprint
from tests.builders import a_document


def test_a_blueprint_follows_its_base_and_has_no_schedule_unless_it_says_so() -> None:
    assert blueprint_from(a_document()).rebuild == Rebuild(schedule=None, on_base_change=True)


@pytest.mark.parametrize(
    ("key", "value"), [("second", "queue"), ("pause_after", 0), ("when", "never"), ("cron", "x")]
)
def test_what_rebuild_does_not_know_is_refused_and_named(key: str, value: object) -> None:
    with pytest.raises(InvalidBlueprint, match=rf"rebuild\.{key}"):
        blueprint_from(a_document(rebuild={key: value}))
