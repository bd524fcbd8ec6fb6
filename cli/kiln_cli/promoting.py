"""`kiln promote`: ask PromoteImage, and say what it did in words."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from kiln.domain.channel import Channel
from kiln.errors import AwsBusy
from kiln.steps.promote_image import Promoted
from kiln_cli.invoking import invoke
from kiln_cli.place import Place

if TYPE_CHECKING:
    from kiln_cli.baking import Pace

# A pointer that is written is checked by AWS in its own time; then the same call goes on.
_TRIES = 8


@dataclass(frozen=True)
class Wish:
    """What is asked for: an image's id or a blueprint's name, and channels."""

    target: str
    to: Channel
    source: Channel | None = None
    dry_run: bool = False


def promote(wish: Wish, place: Place, pace: Pace) -> Promoted:
    """Promote. Raises what PromoteImage raises, under its own class."""
    payload = {
        "target": wish.target,
        "to": wish.to,
        "source": wish.source,
        "by": place.caller(),
        "token": secrets.token_hex(16),
        "dry_run": wish.dry_run,
    }
    for pause in islice(pace.pauses(), _TRIES):
        try:
            found = invoke(place, "PromoteImageFunctionName", payload)
            return Promoted.model_validate(found)
        except AwsBusy as error:
            busy = error
            pace.sleep(pause)
    raise AwsBusy(f"{busy}; promote it again: what is done is not done twice") from busy


def told(found: Promoted) -> Iterator[str]:
    """What has changed, or would, for a person."""
    label = f"{found.blueprint}@{found.version} {found.image} ({found.name})"
    if found.gone_for:
        yield f"{label} was let in; {found.gone_for} has taken its place in {found.channel} since"
        return
    if not found.changed:
        yield f"{label} is in {found.channel} already; nothing has changed"
        return
    verb = "would be" if found.dry_run else "is now"
    came = f", from {found.source}" if found.source else ""
    if found.back:
        yield f"{found.channel} of {found.blueprint} goes back from {found.former} to {found.image}"
    elif found.former:
        came += f", instead of {found.former}"
    yield f"{label} {verb} in {found.channel}{came}"
    yield from (
        f"parameter {name} names it in {', '.join(found.images)}" for name in found.parameters
    )


def rows(found: Promoted) -> list[tuple[str, ...]]:
    """The layers that take the channel's images."""
    return [
        (
            row.layer,
            ("replace" if found.back else row.strategy) if row.changes else "runs it already",
            row.runs or "-",
        )
        for row in found.layers
    ]
