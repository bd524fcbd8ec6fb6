"""`-f` and the formats of times."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from kiln_local.windows.errors import NotHere, ScriptError
from kiln_local.windows.values import items, number, text

_PLACE = re.compile(r"\{\{|\}\}|\{(\d+)(?:,(-?\d+))?(?::([^{}]*))?\}|[{}]")
_TOKEN = re.compile(r"'[^']*'|\\.|([a-zA-Z])\1*|.", re.DOTALL)
_OF_TIME = {
    "yyyy": "%Y",
    "yy": "%y",
    "MM": "%m",
    "dd": "%d",
    "HH": "%H",
    "mm": "%M",
    "ss": "%S",
    "hh": "%I",
    "tt": "%p",
    "MMM": "%b",
    "MMMM": "%B",
    "ddd": "%a",
    "dddd": "%A",
}
# Letters that .NET's formats of times give a meaning to.
_MEANT = frozenset("dfFghHKmMstyz")


def formatted(template: str, arguments: Any) -> str:
    """`-f`: places with widths, and formats of numbers and times."""
    given = items(arguments)

    def place(found: re.Match[str]) -> str:
        if found[0] in ("{{", "}}"):
            return found[0][0]
        if found[1] is None:
            raise ScriptError("Input string was not in a correct format.")
        if int(found[1]) >= len(given):
            raise ScriptError("Index must be less than the size of the argument list.")
        said = _shown(given[int(found[1])], found[3] or "")
        width = int(found[2] or 0)
        return said.rjust(width) if width > 0 else said.ljust(-width)

    return _PLACE.sub(place, template)


def _shown(value: Any, form: str) -> str:
    if not form or isinstance(value, str):
        return text(value)
    if isinstance(value, datetime):
        return of_time(value, form)
    kind, digits = form[0].upper(), form[1:]
    if kind not in "DXNF" or (digits and not digits.isdigit()):
        raise NotHere(f"the format {form}")
    value = number(value)
    if kind in "NF":
        return _rounded(value, int(digits or 2), "," if kind == "N" else "")
    if not isinstance(value, int):
        raise ScriptError("Format specifier was invalid.")
    return f"{value:0{int(digits or 1)}{'d' if kind == 'D' else form[0]}}"


def _rounded(value: float, digits: int, groups: str) -> str:
    exact = Decimal(repr(value)).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    return f"{exact:{groups}.{digits}f}"


def of_time(moment: datetime, form: str) -> str:
    """A time in a format of .NET's; of the standard ones only `o` and `s`."""
    moment = moment.astimezone(UTC)
    if form == "o":
        return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond:06d}0Z"
    if form == "s":
        return f"{moment:%Y-%m-%dT%H:%M:%S}"
    return "".join(_of_token(moment, found[0]) for found in _TOKEN.finditer(form))


def _of_token(moment: datetime, token: str) -> str:
    if token in _OF_TIME:
        return moment.strftime(_OF_TIME[token])
    if token[:1] == "'":
        return token[1:-1]
    if token[:1] == "\\":
        return token[1:]
    if token[:1] in _MEANT or token[:1] in '%"':
        raise NotHere(f"the format {token} of a time")
    return token
