"""What a bake cost, as far as it can be told afterwards: counted, with AWS's price where one is
known here. An instance's price is not: it differs by type, Region and contract."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kiln.domain.bake import BakePlan
from kiln.domain.prices import gigabytes, monthly_usd
from kiln.ports import World
from kiln_cli.history import Event, Span, calls, transitions
from kiln_cli.timing import minutes

# US dollars, us-east-1, outside of free tiers, as stored copies of AWS's pages had them in November
# 2026: aws.amazon.com/step-functions/pricing (standard workflows), aws.amazon.com/lambda/pricing.
USD_OF_A_TRANSITION = 0.025 / 1_000
USD_OF_A_REQUEST = 0.20 / 1_000_000
_LAUNCHED_IN = {"builder": "LaunchBuilder", "clone": "LaunchClone"}


@dataclass(frozen=True)
class Cost:
    """One thing that is paid for, once or each month; `usd` is None where no price is known
    here."""

    what: str
    amount: str
    usd: float | None
    monthly: bool = False


def of_work(events: Sequence[Event]) -> list[Cost]:
    """What the execution itself cost."""
    entered, called = transitions(events), calls(Counter(event["type"] for event in events))
    return [
        Cost("Step Functions", f"{entered} transitions", entered * USD_OF_A_TRANSITION),
        Cost("Lambda", f"{called} requests, without their time", called * USD_OF_A_REQUEST),
    ]


def of_instances(plan: BakePlan, spans: Iterable[Span], elapsed_s: float) -> list[Cost]:
    """How long the instances ran at most: from their launch until the bake's end."""
    found = {span.name: span for span in spans}
    kind = plan.instance_types[0] if plan.instance_types else "an instance"
    return [
        Cost(f"EC2, the {role}", f"{minutes(elapsed_s - span.entered_s)} of {kind} at most", None)
        for role, state in _LAUNCHED_IN.items()
        if (span := found.get(state))
    ]


def of_storage(places: Iterable[tuple[str, str]], world: World) -> list[Cost]:
    """What keeping an image costs a month at most, by Region and id there."""
    found = []
    for region, image in places:
        there = world.regions.at(region)
        facts = there.images.describe(image)
        snapshots = [volume.snapshot for volume in facts.snapshots] if facts else []
        size = sum(there.shelf.sizes(snapshots).values())
        kept = f"{gigabytes(size):g} GB at most"
        found.append(Cost(f"snapshots in {region}", kept, monthly_usd(region, size), True))
    return found
