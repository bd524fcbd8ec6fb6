"""What the local AWS does for moto answers as moto itself would."""

from __future__ import annotations

from typing import Any

import pytest
from moto.ec2.models.tags import TagBackend

from kiln_local import economies
from kiln_local.patches import Patches

TAGS = {"i-1": {"Name": "one", "team": "shop"}, "i-10": {"Name": "ten"}, "vol-1": {"Name": "one"}}


@pytest.mark.parametrize(
    "filters",
    [
        None,
        {"resource-id": ["i-1"]},
        {"resource-id": ["i-1", "vol-1", "i-none"]},
        {"resource-id": ["i-1*"]},
        {"resource-id": ["i-1"], "key": ["Name"]},
        {"resource-id": ["vol-1", "i-1"], "resource-type": ["volume"]},
        {"value": ["one"]},
    ],
)
def test_tags_are_found_as_moto_finds_them(filters: Any) -> None:
    backend, patches = TagBackend(), Patches()
    backend.tags.update(TAGS)
    expected = backend.describe_tags(filters)
    economies.connect(patches)
    try:
        found = backend.describe_tags(filters)
    finally:
        patches.undo()
    assert sorted(found, key=str) == sorted(expected, key=str)
    assert backend.tags == TAGS
