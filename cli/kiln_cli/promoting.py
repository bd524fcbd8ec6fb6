"""`kiln promote`: ask PromoteImage, and say what it did in words."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from kiln import errors
from kiln.adapters._errors import translated
from kiln.domain.channel import Channel
from kiln.errors import AwsBusy, AwsRefused, KilnError
from kiln.steps.promote_image import Promoted
from kiln_cli.place import Place

if TYPE_CHECKING:
    from kiln_cli.baking import Pace

# A pointer that is written is checked by AWS in its own time; then the same call goes on.
_TRIES = 8
_REFUSAL = re.compile(r"(\w+):(\w+) was refused: ([^:]+): (.*)", re.DOTALL)


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
            return _invoke(payload, place)
        except AwsBusy as error:
            busy = error
            pace.sleep(pause)
    raise AwsBusy(f"{busy}; promote it again: what is done is not done twice") from busy


def _invoke(payload: dict[str, Any], place: Place) -> Promoted:
    name = place.outputs.get("PromoteImageFunctionName")
    if name is None:
        raise AwsRefused(
            *("cloudformation", "DescribeStacks", "NoOutputs"),
            f"stack {place.stack_name} has no output PromoteImageFunctionName: it is of a Kiln "
            "without channels; deploy the template again",
        )
    with translated("lambda", "Invoke"):
        answer = place.client("lambda").invoke(
            FunctionName=name, Payload=json.dumps(payload).encode()
        )
    body = json.loads(answer["Payload"].read())
    if answer.get("FunctionError"):
        raise _error(body)
    return Promoted.model_validate(body)


def _error(body: dict[str, Any]) -> KilnError:
    """The error that a function ended with (Lambda Developer Guide, "Function errors in Python":
    errorType, errorMessage; a time-out has the message alone)."""
    message = str(body.get("errorMessage", "it said nothing"))
    kind = getattr(errors, str(body.get("errorType")), None)
    refused = _REFUSAL.match(message)
    if isinstance(kind, type) and issubclass(kind, AwsRefused):
        return kind(*refused.groups()) if refused else KilnError(message)
    if isinstance(kind, type) and issubclass(kind, KilnError):
        return kind(message)
    return KilnError(
        f"PromoteImage failed: {message}; its log in CloudWatch says why, and the same command "
        "goes on where it ended"
    )


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
