"""Storing versions of blueprints: none is lost, none is changed."""

from __future__ import annotations

import pytest

from kiln.errors import AwsBusy, InvalidBlueprint
from kiln.steps._versions import next_number, store, version_of
from tests.builders import a_document, a_version
from tests.fakes import FakeWorld

OTHER = a_document(description="other")


def test_a_document_that_differs_gets_the_next_number() -> None:
    fake = FakeWorld()
    assert next_number("web", a_document(), fake.world) == 1
    store(a_version(), fake.world)
    assert next_number("web", a_document(), fake.world) == 1
    assert next_number("web", OTHER, fake.world) == 2


def test_of_two_who_apply_at_once_one_is_told_to_look_again_and_nothing_is_lost() -> None:
    fake = FakeWorld()
    store(a_version(author="arn:bob"), fake.world)
    with pytest.raises(AwsBusy, match="web got version 1 from arn:bob just now, and yours was not"):
        store(a_version(document=OTHER), fake.world)
    assert version_of("web", 1, fake.world).author == "arn:bob"


def test_of_two_who_apply_the_same_at_once_both_are_content() -> None:
    fake = FakeWorld()
    store(a_version(author="arn:bob"), fake.world)
    store(a_version(), fake.world)
    assert fake.versions.all_of("web") == (a_version(author="arn:bob"),)


def test_what_is_not_stored_is_answered_with_what_is() -> None:
    fake = FakeWorld()
    with pytest.raises(InvalidBlueprint, match="'web' is not stored; known: none; `kiln apply`"):
        version_of("web", 1, fake.world)
    store(a_version(), fake.world)
    with pytest.raises(InvalidBlueprint, match="web@2 is not stored; stored: version 1 alone"):
        version_of("web", 2, fake.world)
