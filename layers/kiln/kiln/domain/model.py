"""The base of all models, and the one-line form of what is wrong with an input."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Annotated, Any, get_args

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from kiln.domain.confidential import hidden, is_secret

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Text = Annotated[str, StringConstraints(min_length=1)]
# The list of a blueprint's keys takes half of it.
LONGEST_LINE = 900


class Model(BaseModel):
    """A frozen value; unknown keys are errors, because a misspelt key is a lost wish."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Lenient(BaseModel):
    """A frozen value made from what somebody else wrote; keys that we do not know are left
    alone."""

    model_config = ConfigDict(frozen=True, extra="ignore")


# Far above what AWS or Kiln sends: what goes on and on ends in a RecursionError somewhere, and a
# model has something to say of each of two million numbers.
DEEPEST = 50
MOST_VALUES = 100_000


def check_depth_and_text(value: Any) -> None:
    """Raise ValueError for what no model looks into and nothing can carry: nesting or values
    without end, no number, and half a surrogate pair, which JSON can say and UTF-8 cannot."""
    left = [(value, 1)]
    seen = 0
    while left:
        found, depth = left.pop()
        seen += 1
        if isinstance(found, str) and not _is_text(found):
            raise ValueError("holds half a surrogate pair, which is no character")
        if isinstance(found, float) and not math.isfinite(found):
            raise ValueError(f"holds {found}, which is no number that JSON knows")
        if isinstance(found, dict | list):
            if depth > DEEPEST:
                raise ValueError(f"is nested deeper than {DEEPEST} levels")
            if seen + len(left) + len(found) > MOST_VALUES:
                raise ValueError(f"holds more than {MOST_VALUES} values")
            left += ((inner, depth + 1) for inner in found)
        if isinstance(found, dict):
            left += ((inner, depth + 1) for inner in found.values())


def _is_text(value: str) -> bool:
    try:
        return value.isascii() or bool(value.encode())
    except UnicodeEncodeError:
        return False


def explain(error: ValidationError, model: type[BaseModel]) -> str:
    """The first thing that is wrong, as `key.path: what; what is allowed`, on one line."""
    found = min(error.errors(include_url=False), key=_rank)
    where = ".".join(_cut(str(part), 60) for part in _path(found["loc"]))
    if not where and found["type"] == "value_error":
        # What is wrong with several keys together names them itself.
        return _one_line(_reason(found, model))
    return _one_line(f"{where or 'the file'}: {_reason(found, model)}")


def _one_line(text: str) -> str:
    """What is said of a value may hold the value, and that may be a megabyte."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_LINE else f"{line[:600]} ... {line[-200:]}"


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 3]}..."


def _rank(found: Any) -> tuple[int, int]:
    # An unknown key explains a missing one beside it: say the misspelling first.
    return (0 if found["type"] == "extra_forbidden" else 1, len(found["loc"]))


# pydantic names the branch of a union in the path; a user's file has no such key.
_BRANCHES = frozenset({"str", "bool", "ShellFile", "SecretPassword", "Rule", "Never", "list[str]"})
_WRAPPERS = ("function-", "literal[", "constrained-")


def _path(loc: tuple[int | str, ...]) -> Iterator[int | str]:
    return (part for part in loc if part not in _BRANCHES and not str(part).startswith(_WRAPPERS))


_SHAPES = {
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "dict_type": "must be a mapping",
    "model_type": "must be a mapping",
    "model_attributes_type": "must be a mapping",
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
}


def _reason(found: Any, model: type[BaseModel]) -> str:
    kind, context = found["type"], found.get("ctx", {})
    given = _given(found)
    if kind == "extra_forbidden":
        keys = _keys_at(model, tuple(_path(found["loc"][:-1])))
        nearest = meant(str(found["loc"][-1]), keys)
        return f"is not a known key; {nearest}allowed: {', '.join(keys)}"
    if kind == "missing":
        return "is required"
    if kind == "string_pattern_mismatch":
        # As escapes, for a letter of another alphabet may look like one that is allowed.
        seen = given if given.isascii() else ascii(given)[1:-1]
        return f"{seen} does not match {context['pattern']}"
    if kind in ("literal_error", "enum"):
        expected = str(context["expected"])
        nearest = meant(str(found["input"]), re.findall("'([^']*)'", expected), "'")
        return f"{given} is not allowed; {nearest}allowed: {expected}"
    if kind == "too_short":
        what = "mapping" if isinstance(found["input"], dict) else "list"
        return f"the {what} is empty; give at least one value"
    if kind == "too_long":
        return (
            f"has {context['actual_length']} items; allowed: at most {context['max_length']} items"
        )
    if kind == "value_error":
        return str(context["error"])
    if kind in _SHAPES:
        return f"{_SHAPES[kind]}, not {given}"
    return f"{found['msg']} (got {given})"


def meant(given: str, allowed: Iterable[str], quote: str = "") -> str:
    """`did you mean X? ` where something that is allowed looks like it, else nothing."""
    # Only of what is wrong, which functions hardly ever see.
    from difflib import get_close_matches  # noqa: PLC0415

    # Two megabytes are no misspelling of anything.
    found = get_close_matches(given[:60], list(allowed), n=1)
    return f"did you mean {quote}{found[0]}{quote}? " if found else ""


# Where a user may write secrets under any name: what is wrong there is told without repeating it.
_PRIVATE = frozenset({"environment", "custom_json", "attributes", "parameters"})


def _given(found: Any) -> str:
    """What stands in the wrong place, shortened; no secret."""
    # pydantic's own word for a key that is wrong; keys are no secrets.
    about_key = found["loc"][-1:] == ("[key]",)
    if not about_key and any(part in _PRIVATE or is_secret(str(part)) for part in found["loc"]):
        return "what is there"
    value = found["input"]
    return _cut(repr(hidden(value) if isinstance(value, dict | list) else value), 60)


def _keys_at(model: type[BaseModel], loc: tuple[int | str, ...]) -> list[str]:
    """The keys that the mapping at `loc` may have."""
    for part in loc:
        if isinstance(part, str) and part in model.model_fields:
            model = next(_models_in(model.model_fields[part].annotation), model)
    return list(model.model_fields)


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models_in(inner)
