"""PruneImages: once a day, deprecate, disable and delete images that have had their time.

Between a look and a deletion somebody may launch what is to be deleted. So an image is disabled
first, which stops every launch; then everything is looked at again, and only what is still unused
goes. What is in use by then is enabled again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiln.domain.model import Lenient, Model
from kiln.domain.prices import gigabytes, monthly_usd
from kiln.domain.pruning import Action, Verdict
from kiln.domain.retention import Step
from kiln.errors import AwsBusy, InvalidRequest
from kiln.steps._estate import Estate, blueprint_names, survey
from kiln.steps._retiring import LEAVING, Outcome, carry_out
from kiln.steps._wards import Ward

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kiln.ports import World

# So many images a run are disabled or deleted: at EC2's five changes a second and with the looks
# around them, that fits into the function's time. The next run goes on.
MOST = 100


class PruneImages(Lenient):
    """Blueprints and Regions, all where none is named; with `dry_run` nothing is changed. A tick of
    EventBridge's names none."""

    blueprints: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    dry_run: bool = False


class Pruned(Model):
    """One image in one Region: what was done (or would be), what its rules have come to, why, and
    what holds it back. `gigabytes` and `usd_a_month` are what its deletion frees at most, without a
    price where none is known; `error` is why something could not be done."""

    image: str
    here: str
    region: str
    blueprint: str
    name: str
    action: Action
    wanted: Step | None
    why: tuple[str, ...]
    kept_by: tuple[str, ...]
    gigabytes: float = 0.0
    usd_a_month: float | None = 0.0
    error: str = ""


class ImagesPruned(Model):
    """What became of images; those that no rule reaches are left out. `left` is how many are still
    to be disabled or deleted, `busy` the Regions that AWS kept from it for now, and why."""

    images: tuple[Pruned, ...]
    left: int
    busy: dict[str, str]
    dry_run: bool

    def metrics(self) -> dict[str, int]:
        """For the dashboard: what was deleted, and what could not be done."""
        gone = [row for row in self.images if row.action in ("delete", "finish") and not row.error]
        failed = [row for row in self.images if row.error]
        done = 0 if self.dry_run else len(gone)
        return {"ImagesDeleted": done, "ImagesNotPruned": len(failed) + len(self.busy)}


def prune_images(request: PruneImages, world: World) -> ImagesPruned:
    """Let the rules of blueprints have their way; again is harmless. InvalidRequest, AwsBusy."""
    estate = survey(world)
    names = _names(request, world)
    rows: list[Pruned] = []
    left, busy, room = 0, {}, MOST
    for region in _regions(request, estate):
        ward = Ward(region, names, estate, world)
        try:
            found, wanting = _prune(ward, request.dry_run, room)
        except AwsBusy as error:
            # The other Regions answer calls of their own; this one is for the next run.
            busy[region] = str(error)
            continue
        rows += found
        room, left = max(0, room - wanting), left + max(0, wanting - room)
    told = 0 if request.dry_run else left
    return ImagesPruned(images=tuple(rows), left=told, busy=busy, dry_run=request.dry_run)


def _names(request: PruneImages, world: World) -> tuple[str, ...]:
    known = blueprint_names(world)
    for name in request.blueprints:
        if name not in known:
            raise InvalidRequest(
                f"{name}: no blueprint of that name is known; known: {', '.join(known) or 'none'}"
            )
    return request.blueprints or known


def _regions(request: PruneImages, estate: Estate) -> tuple[str, ...]:
    for region in request.regions:
        if region not in estate.regions:
            raise InvalidRequest(
                f"{region}: no image of Kiln's is there; they are in "
                f"{', '.join(estate.regions) or 'no Region'}"
            )
    return request.regions or estate.regions


def _prune(ward: Ward, dry_run: bool, room: int) -> tuple[list[Pruned], int]:
    """One Region; how many of its images are to be disabled or deleted."""
    verdicts = ward.look()
    sizes = ward.sizes(verdicts)
    wanting = sum(verdict.action in LEAVING for verdict in verdicts)
    outcomes: Iterable[Outcome] = map(Outcome, verdicts)
    if not dry_run:
        outcomes = carry_out(verdicts, ward, room)
    rows = [
        _row(outcome, sizes)
        for outcome in outcomes
        if outcome.verdict.wanted or outcome.verdict.action != "none"
    ]
    return rows, wanting


def _row(outcome: Outcome, sizes: dict[str, tuple[int, int]]) -> Pruned:
    verdict: Verdict = outcome.verdict
    standing = verdict.standing
    deleted = verdict.action == "delete" and not outcome.error
    snapshots, parts = sizes.get(standing.here, (0, 0)) if deleted else (0, 0)
    return Pruned(
        image=standing.image,
        here=standing.here,
        region=standing.region,
        blueprint=standing.blueprint,
        name=standing.name,
        action=verdict.action,
        wanted=verdict.wanted,
        why=verdict.why,
        kept_by=verdict.kept_by,
        gigabytes=gigabytes(snapshots + parts),
        usd_a_month=monthly_usd(standing.region, snapshots, parts),
        error=outcome.error,
    )
