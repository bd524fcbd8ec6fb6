"""Reading JSON that somebody else wrote: what is small as text and large as objects, what is given
twice and what JSON does not know is refused in one line."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

from kiln.errors import InvalidRequest

# So many brackets and commas are in no file of what is read here.
_MOST_BRACKETS, _MOST_COMMAS = 250_000, 1_000_000


def parse_json(text: str, instead: str) -> Any:
    """What a text says; `instead` is what to do with one that holds too much. Raises
    InvalidRequest."""
    if text.count("{") + text.count("[") > _MOST_BRACKETS or text.count(",") > _MOST_COMMAS:
        raise InvalidRequest(f"holds too much; {instead}")
    hooks: Any = {"object_pairs_hook": _once, "parse_constant": _no_number}
    try:
        return json.loads(text, **hooks, parse_int=_whole, parse_float=_float)
    except RecursionError as error:
        raise InvalidRequest("is nested too deep") from error
    except ValueError as error:
        raise InvalidRequest(f"is not JSON: {error}") from error


def _whole(text: str) -> int:
    return int(text) if len(text) < 20 else _too_large(text)


def _float(text: str) -> float:
    return found if math.isfinite(found := float(text)) else _too_large(text)


def _too_large(text: str) -> NoReturn:
    raise InvalidRequest(f"holds {text[:40]}, which is larger than a JSON number can be")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise InvalidRequest(f"holds the key {twice[:60]!r} twice in one object")
    return found


def _no_number(text: str) -> NoReturn:
    raise InvalidRequest(f"holds {text[:40]}, which is no JSON")
