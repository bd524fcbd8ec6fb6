"""What the report of a bake tells: its result as other commands print it, and beside it what they
leave out: the machine, what steps said, what the clean-up removed, packages, lineage, cost."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from kiln.adapters._errors import translated
from kiln.domain.bake import BakeRecord
from kiln.errors import AwsRefused, Refused
from kiln.ports import World
from kiln_cli import gathering, history
from kiln_cli.contents import Compared, compare
from kiln_cli.ledgers import Ledger
from kiln_cli.lineage import Lineage, Row
from kiln_cli.outputs import Document, Outputs
from kiln_cli.pages import costs
from kiln_cli.pages.graph import Drawing, draw
from kiln_cli.place import Place
from kiln_cli.result import BakeResult, Whose
from kiln_cli.timing import WAITS

_REMOVES = ("clean", "seal", "prepare")


@dataclass(frozen=True)
class Visit:
    """A state, when it was entered and for how long, in seconds; whose time it was."""

    name: str
    began_s: float
    took_s: float
    whose: Whose
    waits_for: str
    failed: bool
    open: bool


@dataclass(frozen=True)
class Report:
    """All that the template lays out."""

    at: datetime
    stack_name: str
    region: str
    result: BakeResult
    record: BakeRecord | None
    began: datetime
    elapsed_s: float
    drawing: Drawing | None
    visits: tuple[Visit, ...]
    documents: tuple[Document, ...]
    removed: tuple[str, ...]
    packages: Compared | None
    lineage: Row | None
    costs: tuple[costs.Cost, ...]

    @property
    def running(self) -> bool:
        """Whether more is to come."""
        return self.result.bake.status in ("RUNNING", "WAITING")


def tell(place: Place, ledger: Ledger, bake: str) -> Report:
    """The report of a bake as it stands now. AwsRefused, AwsBusy."""
    world, ended = place.world, gathering.look_up(place, bake)
    result = gathering.result_of(ended, place, ledger)
    elapsed_s = gathering.elapsed(ended.execution, world)
    spans = history.spans(ended.events, ended.execution)
    failed_in = (ended.record.state if ended.record else None) or ""
    documents = Outputs(place, ended.record).of(ended.events)
    image = result.image.id if result.image else ""
    return Report(
        at=world.clock.now(),
        stack_name=place.stack_name,
        region=world.settings.region,
        result=result,
        record=ended.record,
        began=ended.execution.began,
        elapsed_s=elapsed_s,
        drawing=_drawing(place, bake, spans, (elapsed_s, failed_in)) if spans else None,
        visits=tuple(_visits(spans, elapsed_s, failed_in)),
        documents=documents,
        removed=tuple(_removed(documents)),
        packages=_packages(image, world),
        lineage=_lineage(image, world),
        costs=tuple(_costs(ended, result, (spans, elapsed_s), world)),
    )


def _visits(spans: list[history.Span], elapsed_s: float, failed_in: str) -> Iterator[Visit]:
    for span in spans:
        whose, what = WAITS.get(span.name, ("kiln", ""))
        left = elapsed_s if span.exited_s is None else span.exited_s
        yield Visit(
            name=span.name,
            began_s=span.entered_s,
            took_s=max(0.0, left - span.entered_s),
            whose=whose,
            waits_for=what,
            failed=span.name == failed_in,
            open=span.exited_s is None,
        )


def _drawing(
    place: Place, bake: str, spans: list[history.Span], told: tuple[float, str]
) -> Drawing | None:
    """The machine as it was when the bake began; None once Step Functions has forgotten it."""
    try:
        with translated("states", "DescribeStateMachineForExecution"):
            found = place.client("stepfunctions").describe_state_machine_for_execution(
                executionArn=place.execution(bake)
            )
    except AwsRefused:
        return None
    return draw(json.loads(found["definition"]), spans, *told)


def _removed(documents: Iterable[Document]) -> Iterator[str]:
    """What the documents say that they have removed, and what they kept as they were asked to."""
    for document in documents:
        if document.purpose in _REMOVES:
            for said in document.said:
                yield from (
                    line
                    for line in said.stdout.splitlines()
                    if line.startswith(("removed ", "kept "))
                )


def _packages(image: str, world: World) -> Compared | None:
    """Against the image of the same blueprint before this one; None where there is none, or where
    one of them has no manifest."""
    record = world.records.image(image) if image else None
    if record is None:
        return None
    made = sorted(world.records.images(record.blueprint), key=lambda found: found.created)
    before = [found for found in made if found.created < record.created and found.manifest]
    try:
        return compare(before[-1].id, image, world) if before else None
    except Refused:
        return None


def _lineage(image: str, world: World) -> Row | None:
    if not image or world.records.image(image) is None:
        return None
    (found,) = Lineage(world).of(image)
    return found


def _costs(
    ended: gathering.Ended,
    result: BakeResult,
    took: tuple[list[history.Span], float],
    world: World,
) -> Iterator[costs.Cost]:
    if not ended.events:
        return
    yield from costs.of_work(ended.events)
    if ended.record:
        yield from costs.of_instances(ended.record.plan, *took)
    if result.image:
        places = [(p.region, p.image) for p in result.places if p.image]
        here = (world.settings.region, result.image.id)
        yield from costs.of_storage(places or [here], world)
