"""`kiln prune`: ask the function that does it every day, and say what it has answered."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from kiln.steps.prune_images import ImagesPruned, Pruned
from kiln_cli.invoking import invoke
from kiln_cli.place import Place
from kiln_cli.printing import progress

_PAST = {
    "deprecate": "deprecated",
    "disable": "disabled",
    "enable": "enabled again",
    "delete": "deleted",
    "finish": "deletion finished",
}


@dataclass(frozen=True)
class Wish:
    """What is asked for: blueprints and Regions, all where none is named."""

    blueprints: tuple[str, ...]
    regions: tuple[str, ...]
    dry_run: bool


def prune(wish: Wish, place: Place) -> ImagesPruned:
    """Ask until nothing is left: a run takes so many images, and the next one goes on."""
    asked = {
        "blueprints": list(wish.blueprints),
        "regions": list(wish.regions),
        "dry_run": wish.dry_run,
    }
    done: list[Pruned] = []
    before: int | None = None
    while True:
        answer = invoke(place, "PruneImagesFunctionName", asked)
        found = ImagesPruned.model_validate(answer)
        # An image that AWS refuses to let go is found again by each run.
        if not found.left or found.left == before:
            return found.model_copy(update={"images": (*done, *found.images)})
        progress(f"{found.left} images are left to be disabled or deleted; going on")
        done += [row for row in found.images if row.action != "none"]
        before = found.left


def as_json(found: ImagesPruned) -> dict[str, Any]:
    """JSON-ready, with what all deletions free together at most."""
    size, dollars, _ = freed(found.images)
    total = {"gigabytes": size, "usd_a_month": dollars}
    return found.model_dump(mode="json") | {"frees_at_most": total}


def freed(rows: Iterable[Pruned]) -> tuple[float, float, tuple[str, ...]]:
    """GB and dollars a month at most, and the Regions of which no price is known."""
    size, dollars, unknown = 0.0, 0.0, []
    for row in rows:
        size += row.gigabytes
        dollars += row.usd_a_month or 0.0
        if row.usd_a_month is None:
            unknown.append(row.region)
    return round(size, 3), round(dollars, 2), tuple(dict.fromkeys(unknown))


def what(row: Pruned, dry_run: bool) -> str:
    """What is done to an image."""
    if row.error:
        return f"{row.action} failed"
    if row.action == "none":
        return "stays"
    return f"would {row.action}" if dry_run else _PAST[row.action]


def frees(row: Pruned) -> str:
    """What its deletion frees."""
    if not row.gigabytes:
        return "-"
    price = "price unknown" if row.usd_a_month is None else f"${row.usd_a_month:.2f}"
    return f"{row.gigabytes:g} GB, {price}"


def why(row: Pruned) -> str:
    """Why, and what holds it back from more."""
    said = [row.error] if row.error else list(row.why)
    if row.kept_by:
        said.append(f"not {_PAST.get(row.wanted or '', 'touched')}: {', '.join(row.kept_by)}")
    return "; ".join(said)


def summary(found: ImagesPruned) -> str:
    """All in one line: what is freed is a bound, for snapshots share blocks."""
    rows = [row for row in found.images if row.gigabytes and not row.error]
    size, dollars, unknown = freed(rows)
    verb = "would free" if found.dry_run else "frees"
    text = f"{verb} at most {size:g} GB and ${dollars:.2f} a month"
    if unknown:
        text += f", and what storage costs in {', '.join(unknown)}, whose price is not known here"
    return text
