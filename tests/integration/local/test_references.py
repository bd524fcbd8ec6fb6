"""Each kind of use, alone, keeps an image in the local AWS, in every Region where it can be."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kiln_local.world import LocalAws
from tests.integration.local.references import AT_HOME, EVERYWHERE, refer
from tests.integration.local.shelves import FAR, HOME, Shelves

ROOT = Path(__file__).parents[3]
RULES = {"disable": {"after": "60d"}, "delete": {"after": "90d"}}


@pytest.fixture(scope="module")
def shelves() -> Iterator[Shelves]:
    with LocalAws(ROOT, speed=200) as aws:
        yield Shelves(aws)


@pytest.mark.parametrize(
    ("region", "kinds"),
    [
        pytest.param(HOME, (*EVERYWHERE, *AT_HOME), id="home"),
        pytest.param(FAR, tuple(EVERYWHERE), id="another-region", marks=pytest.mark.long),
    ],
)
def test_each_kind_of_use_keeps_its_image_and_nothing_else(
    shelves: Shelves, region: str, kinds: tuple[str, ...]
) -> None:
    """All kinds at once: a look for one image is a look for all."""
    name = f"web-{region}"
    shelves.blueprint(name, RULES)
    others = () if region == HOME else (region,)
    shelves.image(name, 1, *others)
    free = shelves.image(name, 99, *others)
    used = {kind: shelves.image(name, 100 + n, *others) for n, kind in enumerate(kinds)}
    for kind, image in used.items():
        refer(shelves, kind, image, region)
    pruned = shelves.prune(blueprints=[name], regions=[region])
    told = {row["here"]: row for row in pruned["images"]}
    for kind, image in used.items():
        row = told[shelves.here(image, region)]
        assert (row["action"], row["wanted"]) == ("none", "delete"), (kind, row)
        assert row["kept_by"], kind
        assert shelves.state(image, region) == "available", kind
    assert shelves.state(free, region) == "gone"
