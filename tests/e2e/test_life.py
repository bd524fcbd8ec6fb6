"""Random worlds of images and of all that uses them: what is in use stays, what has had its time
goes, nothing else is touched, and a second run changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiln_local.world import LocalAws
from tests.e2e.running import ROOT
from tests.integration.local.references import AT_HOME, EVERYWHERE, refer
from tests.integration.local.shelves import FAR, HOME, Shelves

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]
THIRD = "us-east-2"
REGIONS = (HOME, FAR, THIRD)
# A distribution under way is of a place, not of an image: a place that has none counts for nothing.
KINDS = sorted(set(EVERYWHERE | AT_HOME) - {"distribution"})
CHANGING = (
    *("ec2:DisableImage", "ec2:EnableImage", "ec2:DeregisterImage", "ec2:DeleteSnapshot"),
    *("ec2:EnableImageDeprecation", "ec2:ModifyImageAttribute", "dynamodb:PutItem"),
)


@dataclass(frozen=True)
class Drawn:
    """One image of a random world: its age in days, the Regions of its copies, whether EC2 has it
    disabled already, and what uses it where."""

    days: int
    copies: tuple[str, ...]
    disabled: bool
    used: tuple[tuple[str, str], ...]


@st.composite
def drawn(draw: Any, days: int) -> Drawn:
    """An image of that age, half of them used."""
    copies = tuple(draw(st.sets(st.sampled_from(REGIONS[1:]), max_size=2)))
    used = set()
    for _ in range(draw(st.sampled_from([0, 0, 1, 2]))):
        kind = draw(st.sampled_from(KINDS))
        where = HOME if kind in AT_HOME else draw(st.sampled_from((HOME, *copies)))
        used.add((kind, where))
    return Drawn(days, copies, draw(st.integers(0, 5)) == 0, tuple(sorted(used)))


@st.composite
def worlds(draw: Any) -> tuple[list[Drawn], dict[str, Any]]:
    """Images of one blueprint, and its rules: each step no earlier than the one before."""
    ages = draw(st.lists(st.integers(0, 300), min_size=1, max_size=6, unique=True))
    images = [draw(drawn(days)) for days in sorted(ages)]
    rules = {}
    keep, after = draw(st.integers(1, 3)), draw(st.integers(1, 120))
    for step in draw(
        st.sampled_from([("disable", "delete"), ("delete",), ("deprecate", "delete")])
    ):
        rules[step] = {"keep_last": keep, "after": f"{after}d"}
        keep, after = keep + draw(st.integers(0, 2)), after + draw(st.integers(0, 90))
    if draw(st.booleans()):
        rules = rules | {"regions": {FAR: {"delete": "never"}}}
    return images, rules


@pytest.fixture(scope="module")
def shelves() -> Iterator[Shelves]:
    with LocalAws(ROOT, speed=200) as aws:
        yield Shelves(aws)


@settings(max_examples=25)
@given(world=worlds())
def test_what_is_used_stays_what_has_had_its_time_goes(
    shelves: Shelves, world: tuple[list[Drawn], dict[str, Any]]
) -> None:
    images, rules = world
    shelves.forget()
    shelves.blueprint("web", rules)
    ids = [shelves.image("web", image.days, *image.copies) for image in images]
    stray = shelves.put(HOME, "web-20200101-000000-0000", shelves.aws.clock.now())
    for name, image in zip(ids, images, strict=True):
        for kind, region in image.used:
            refer(shelves, kind, name, region)
        if image.disabled and not image.used:
            # By somebody: Kiln has not written it down.
            shelves.ec2().disable_image(ImageId=name)
    # Images made from these are of other blueprints, which have no rules.
    shelves.prune()
    for region in REGIONS:
        _check(shelves, region, list(zip(ids, images, strict=True)), rules)
    assert shelves.state_of(stray) == "available"
    before = _changes(shelves)
    again = shelves.prune()
    assert {row["action"] for row in again["images"]} <= {"none"}
    assert _changes(shelves) == before


def _changes(shelves: Shelves) -> int:
    """How many calls of the function have changed something so far."""
    calls = [call for call in shelves.aws.recorder.calls if call.caller == "prune_images"]
    return sum(call.operation in CHANGING for call in calls)


def _check(
    shelves: Shelves, region: str, world: list[tuple[str, Drawn]], rules: dict[str, Any]
) -> None:
    """Reckon anew, from the drawn world alone, what must have become of each image in a Region."""
    there = [(name, image) for name, image in world if region in (HOME, *image.copies)]
    own = rules | rules.get("regions", {}).get(region, {})
    snapshots = shelves.snapshots(region)
    newest = _newest(there, region)
    for newer, (name, image) in enumerate(there):
        used = any(where == region for _, where in image.used)
        past = {
            step
            for step in ("deprecate", "disable", "delete")
            if isinstance(own.get(step), dict)
            and newer >= own[step]["keep_last"]
            and image.days >= int(own[step]["after"][:-1])
        }
        safe = used or newest is None or newer <= newest
        was = "disabled" if _is_disabled(image, region) else "available"
        expected = was
        if not safe:
            expected = "gone" if "delete" in past else "disabled" if "disable" in past else was
        assert shelves.state(name, region) == expected, (region, newer, image, own)
        bake = shelves.kiln.records.image(name).bake  # type: ignore[union-attr]
        kept = [snapshot for snapshot, of in snapshots.items() if of == bake]
        assert len(kept) == (0 if expected == "gone" else 2), (region, newer, image)


def _newest(there: list[tuple[str, Drawn]], region: str) -> int | None:
    """The place in the row of the newest image that can be launched."""
    found = (n for n, (_, image) in enumerate(there) if not _is_disabled(image, region))
    return next(found, None)


def _is_disabled(image: Drawn, region: str) -> bool:
    return region == HOME and image.disabled and not image.used
