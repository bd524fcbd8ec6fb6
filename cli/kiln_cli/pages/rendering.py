"""Templates and what they need to say times and numbers. Everything that is not ours is escaped."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from kiln.domain.prices import gigabytes
from kiln_cli import timing
from kiln_cli.printing import plain
from kiln_cli.summary import WHOSE, advice

# A page of ours asks nobody for anything; one that is served also asks its own server.
FILE_POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'"
)
SERVED_POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("kiln_cli.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"took": took, "moment": moment, "age": age, "dollars": dollars}
    made.filters |= {"bytes": in_gigabytes, "plain": plain}
    made.globals |= {"whose": WHOSE, "advice": advice}
    return made


def render(template: str, **given: Any) -> str:
    """A template of this room, filled."""
    return _environment().get_template(template).render(**given)


def took(seconds: float) -> str:
    """`0.4 s`, `48 s`, `4 min 10 s` or `2 h 5 min`."""
    if seconds >= 3600:
        hours, rest = divmod(round(seconds / 60), 60)
        return f"{hours} h {rest} min"
    return f"{seconds:.1f} s" if 0 < seconds < 10 else timing.minutes(seconds)


def moment(at: datetime) -> str:
    """`2026-11-29 15:04 UTC`."""
    return f"{at:%Y-%m-%d %H:%M} UTC"


def age(span: timedelta) -> str:
    """`3 days`, `5 h`, `12 min`."""
    minutes = max(0, int(span.total_seconds() // 60))
    for size, one, many in ((1440, " day", " days"), (60, " h", " h"), (1, " min", " min")):
        if minutes >= size:
            count = minutes // size
            return f"{count}{one if count == 1 else many}"
    return "now"


def dollars(usd: float) -> str:
    """To the cent, small sums to four places."""
    return f"${usd:.2f}" if usd >= 0.1 else f"${usd:.4f}"


def in_gigabytes(size: int) -> str:
    """`12.5 GB`."""
    return f"{gigabytes(size):g} GB"
