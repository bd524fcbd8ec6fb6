"""Functions of HCL2 and Packer that need nothing but their arguments. A regular expression of a
stranger's is never run: one may take for ever."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from typing import Any

from kiln_cli.elsewhere.values import DATE, MARKS, STAMP, TIME, Open

# What a function makes may be much larger than what it is given.
_LONGEST, _MOST = 256 * 1024, 20_000


class Unknown(Exception):
    """What only Packer can work out."""


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"{value:.15g}"
    if not isinstance(value, str):
        raise Unknown
    return value


def _listed(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise Unknown
    return value


def _mapped(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Unknown
    return value


def formatted(layout: str) -> str:
    """The mark for a time that is written in a layout of Go's or of formatdate."""
    day = re.search(r"2006|0?1[-/.]?0?2|Jan|YY|DD|MM", layout)
    hour = re.search(r"15|03|04|05|hh|HH|mm|ss", layout)
    return STAMP if bool(day) == bool(hour) else DATE if day else TIME


def replaced(given: Any, old: str, new: str) -> str:
    """`replace` and `regex_replace`. Of a time only its punctuation can be replaced, and a mark has
    none."""
    text: str = _text(given)
    if MARKS.sub("", text) == "" and text:
        return text
    if len(old) > 1 and old[0] == old[-1] == "/":
        raise Unknown
    if len(text) + text.count(old) * len(new) > _LONGEST:
        raise Unknown
    return text.replace(old, new)


def cleaned(text: str) -> str:
    """`clean_resource_name`: what EC2 takes in an image's name."""
    return re.sub(r"[^A-Za-z0-9()\[\] ./\-'@_\ue000-\ue002]", "-", text)


def _regex_replaced(text: Any, _pattern: str, _new: str) -> str:
    if not MARKS.search(_text(text)) or MARKS.sub("", text):
        raise Unknown
    return _text(text)


def _format(layout: str, *values: Any) -> str:
    left = list(values)

    def one(found: re.Match[str]) -> str:
        if found[1] == "%":
            return "%"
        value = left.pop(0)
        if found[1] == "q":
            return json.dumps(_text(value))
        if found[1].endswith("d"):
            width = min(int(found[1][:-1] or "0"), 100)
            return f"{int(value):0{width}d}" if found[1][0] == "0" else f"{int(value):{width}d}"
        return _text(value)

    made = re.sub(r"%(%|s|v|q|0?\d{0,2}d)", one, layout)
    if left:
        raise Unknown
    return made


def _join(between: str, *lists: Any) -> str:
    texts = [_text(one) for found in lists for one in _listed(found)]
    if len(between) * len(texts) > _LONGEST:
        raise Unknown
    return between.join(texts)


def _merge(*given: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for one in given:
        found |= _mapped(one) if one is not None else {}
    return found


def _concat(*given: Any) -> list[Any]:
    if sum(len(_listed(found)) for found in given) > _MOST:
        raise Unknown
    return [one for found in given for one in found]


def _coalesce(*given: Any) -> Any:
    for one in given:
        if isinstance(one, Open):
            raise Unknown
        if one not in (None, ""):
            return one
    raise Unknown


def _try(*given: Any) -> Any:
    for one in given:
        if not isinstance(one, Open):
            return one
    raise Unknown


def _flatten(given: Any) -> list[Any]:
    left, found = list(reversed(_listed(given))), []
    while left:
        one = left.pop()
        if isinstance(one, list):
            left += reversed(one)
        else:
            found.append(one)
    return found


def _once(given: Any) -> list[Any]:
    found: list[Any] = []
    seen: set[str] = set()
    for one in _listed(given):
        key = json.dumps(one, sort_keys=True)
        if key not in seen:
            seen.add(key)
            found.append(one)
    return found


def _number(value: Any) -> int | float:
    found = float(_text(value)[:40])
    return int(found) if found.is_integer() and abs(found) < 2**53 else found


def _flag(value: Any) -> bool:
    return {"true": True, "false": False}[_text(value)]


def _lookup(given: Any, key: str, *otherwise: Any) -> Any:
    return _mapped(given).get(key, otherwise[0]) if otherwise else _mapped(given)[key]


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "timestamp": lambda: STAMP,
    "formatdate": lambda layout, time: formatted(layout) if time == STAMP else _text([]),
    "legacy_isotime": lambda layout="2006-01-02T15:04": formatted(layout),
    "legacy_strftime": lambda _layout: STAMP,
    "upper": lambda text: _text(text).upper(),
    "lower": lambda text: _text(text).lower(),
    "title": lambda text: _text(text).title(),
    "trimspace": lambda text: _text(text).strip(),
    "trim": lambda text, chars: _text(text).strip(chars),
    "trimprefix": lambda text, prefix: _text(text).removeprefix(prefix),
    "trimsuffix": lambda text, suffix: _text(text).removesuffix(suffix),
    "chomp": lambda text: _text(text).rstrip("\r\n"),
    "replace": replaced,
    "regex_replace": _regex_replaced,
    "clean_resource_name": lambda text: cleaned(_text(text)),
    "split": lambda by, text: _text(text).split(by),
    "join": _join,
    "format": _format,
    "concat": _concat,
    "merge": _merge,
    "coalesce": _coalesce,
    "try": _try,
    "can": lambda one: not isinstance(one, Open),
    "compact": lambda given: [one for one in _listed(given) if one not in (None, "")],
    "flatten": _flatten,
    "distinct": _once,
    "reverse": lambda given: list(reversed(_listed(given))),
    "sort": lambda given: sorted(_text(one) for one in _listed(given)),
    "keys": lambda given: sorted(_mapped(given)),
    "values": lambda given: [_mapped(given)[key] for key in sorted(_mapped(given))],
    "lookup": _lookup,
    "contains": lambda given, one: one in _listed(given),
    "element": lambda given, at: _listed(given)[int(at) % len(given)],
    "length": len,
    "tostring": _text,
    "tonumber": _number,
    "tobool": _flag,
    "tolist": _listed,
    "toset": _once,
    "tomap": _mapped,
    "max": lambda *given: max(given),
    "min": lambda *given: min(given),
    "jsonencode": lambda value: json.dumps(value, separators=(",", ":")),
    "base64encode": lambda text: base64.b64encode(_text(text).encode()).decode(),
    "base64decode": lambda text: base64.b64decode(_text(text), validate=True).decode(),
}
