"""A document that is made from a stranger's, made to fit: what a blueprint would refuse of it is
named and left out, one key after the other."""

from __future__ import annotations

import re
from typing import Any

from pydantic import ValidationError

from kiln.domain.blueprint import Blueprint, blueprint_from
from kiln.domain.model import explain
from kiln.errors import InvalidBlueprint, InvalidRequest
from kiln_cli.elsewhere.imported import Document
from kiln_cli.elsewhere.notes import Notes

# Without these there is no blueprint.
_NEEDED = ("kind", "name", "platform", "base")
_MOST = 50
# What is wrong with several keys together begins with the one to change.
_KEY = re.compile(r"^([a-z_]+(?:\.[a-z0-9_-]+)*)[:. ]")


def fit(document: Document, about: str, notes: Notes) -> Document:
    """The document itself, without what is refused. Raises InvalidRequest where that is something
    that no blueprint can lack."""
    for _ in range(_MOST):
        try:
            Blueprint.model_validate(document)
        except ValidationError as error:
            _leave_out(document, error, about, notes)
        else:
            break
    try:
        blueprint_from(document)
    except InvalidBlueprint as error:
        raise InvalidRequest(f"{about} cannot be written: {error}") from error
    return document


def _leave_out(document: Document, error: ValidationError, about: str, notes: Notes) -> None:
    said = explain(error, Blueprint)
    for found in error.errors(include_url=False):
        path = list(found["loc"]) or _named(str(found.get("ctx", {}).get("error", "")))
        holder, key = _place(document, path)
        if holder is not document or (key is not None and key not in _NEEDED):
            shown = ".".join(
                str(part) for part in path if not isinstance(part, str) or len(part) < 60
            )
            notes.drop(about, shown or str(key), said)
            del holder[key]
            _prune(document, path)
            return
    raise InvalidRequest(f"{about} cannot be written: {said}") from error


def _named(text: str) -> list[str | int]:
    found = _KEY.match(text)
    parts = found[1].split(".") if found else []
    return [int(part) if part.isdigit() else part for part in parts]


def _place(document: Document, path: list[Any]) -> tuple[Any, Any]:
    """The deepest thing of a path that there is: what holds it, and its key there. A key that is
    missing is wrong with what lacks it; names of branches are no keys."""
    holder: Any = document
    key: Any = None
    value: Any = document
    for part in path:
        listed = isinstance(value, list) and isinstance(part, int) and part < len(value)
        if listed or (isinstance(value, dict) and part in value):
            holder, key, value = value, part, value[part]
    return holder, key


def _prune(document: Document, path: list[Any]) -> None:
    """What holds nothing any more on the way there."""
    for _ in path:
        holder, key = _place(document, path)
        if key is None or holder[key] not in ([], {}) or key in _NEEDED:
            return
        del holder[key]
