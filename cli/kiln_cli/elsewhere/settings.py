"""What one object of another tool's file says: each setting is taken once, and what is left over
is named. A number may be written as text and one value for a list of one, as such tools allow."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from kiln_cli.elsewhere.notes import EMPTY, Notes
from kiln_cli.elsewhere.values import MARKS, Open, reasons

_TRUE, _FALSE = ("true", "1"), ("false", "0")


class Settings:
    """The settings of one object, called `about` in notes."""

    def __init__(self, values: Mapping[str, Any], about: str, notes: Notes) -> None:
        self.values = dict(values)
        self.about = about
        self.notes = notes
        self._left = dict(self.values)

    def drop(self, key: str, reason: str) -> None:
        """Say that a setting is not carried over."""
        self._left.pop(key, None)
        self.notes.drop(self.about, key, reason)

    def drop_if(self, key: str, reason: str) -> None:
        """Say it of a setting that is there."""
        if self.take(key) is not None:
            self.notes.drop(self.about, key, reason)

    def assume(self, key: str, reason: str) -> None:
        """Say what is in the file in place of a setting."""
        self.notes.assume(self.about, key, reason)

    def want(self, key: str, reason: str) -> None:
        """Say what is to be filled in."""
        self._left.pop(key, None)
        self.notes.want(self.about, key, reason)

    def take(self, key: str) -> Any:
        """A setting as it is, None where it is not there or says nothing."""
        found = self._left.pop(key, None)
        return None if _empty(found) else found

    def text(self, key: str) -> str | None:
        """A text of which all is known, or None and a note."""
        found = self.take(key)
        if found is None or not self._known(key, found):
            return None
        if isinstance(found, bool | int | float | str):
            return _as_text(found)
        self._wrong(key, "is no text")
        return None

    def script(self, key: str) -> str | None:
        """A text that may hold what is not known; that stays as it was written, with a note."""
        found = self.take(key)
        lines = found if isinstance(found, list) else [found]
        if found is None:
            return None
        if not all(isinstance(one, bool | int | float | str) for one in lines):
            self._wrong(key, "is no text")
            return None
        self.explain(key, lines)
        return "\n".join(_plain(_as_text(one)) for one in lines)

    def explain(self, key: str, value: Any) -> bool:
        """Say what in a value is to be filled in; whether there was anything."""
        found = reasons(value)
        if any(MARKS.search(str(one)) for one in (value if isinstance(value, list) else [value])):
            found += ("the time of a bake is not known before it; let the script ask `date`",)
        for why in found:
            self.notes.want(self.about, key, why)
        return bool(found)

    def texts(self, key: str) -> list[str]:
        """A list of texts; those that are not known are left out with a note."""
        found = self.take(key)
        if found is None:
            return []
        items = found if isinstance(found, list) else [found]
        known = [one for one in items if self._known(key, one)]
        if not all(isinstance(one, bool | int | float | str) for one in known):
            self._wrong(key, "is no list of texts")
            return []
        return [_as_text(one) for one in known]

    def whole(self, key: str) -> int | None:
        """A whole number."""
        found = self.text(key)
        if found is None:
            return None
        if re.fullmatch(r"\d{1,9}", found, re.ASCII):
            return int(found)
        self._wrong(key, f"{found[:40]!r} is no whole number")
        return None

    def flag(self, key: str) -> bool | None:
        """True or false."""
        found = self.text(key)
        if found is None or found.lower() in (*_TRUE, *_FALSE):
            return None if found is None else found.lower() in _TRUE
        self._wrong(key, f"{found[:40]!r} is neither true nor false")
        return None

    def mapping(self, key: str) -> dict[str, str]:
        """Texts by their names. A block may be given for each: {key, value}."""
        found = self.take(key)
        found = _merged(found) if isinstance(found, list) else found
        if found is None or isinstance(found, Open):
            self._known(key, found)
            return {}
        if not isinstance(found, dict):
            self._wrong(key, "is no mapping")
            return {}
        made: dict[str, str] = {}
        for name, value in found.items():
            if not self._known(f"{key}.{name}", value):
                continue
            if isinstance(value, bool | int | float | str):
                made[name] = _as_text(value)
            else:
                self._wrong(f"{key}.{name}", "is no text")
        return made

    def items(self, key: str) -> list[dict[str, Any]]:
        """Blocks, or a list of mappings, or one."""
        found = self.take(key)
        if found is None or not self._known(key, found, deep=False):
            return []
        items = found if isinstance(found, list) else [found]
        if not all(isinstance(one, dict) for one in items):
            self._wrong(key, "is no mapping")
            return []
        return items

    def finish(self, why: Mapping[str, str], otherwise: str) -> None:
        """Name every setting that nobody took, with its own reason or the one for others. One
        without a reason, the empty text, is nothing that anybody misses."""
        for key, value in list(self._left.items()):
            reason = why.get(key, otherwise)
            if not _empty(value) and reason:
                self.drop(key, reason)
        self._left.clear()

    def _known(self, key: str, value: Any, deep: bool = True) -> bool:
        found = reasons(value) if deep else getattr(value, "why", ())
        for why in found:
            self.notes.want(self.about, key, f"{_shown(value)}: {why}")
        return not found

    def _wrong(self, key: str, reason: str) -> None:
        self.notes.drop(self.about, key, reason)


def _empty(value: Any) -> bool:
    return value in EMPTY


def _shown(value: Any) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= 80 else f"{text[:77]}..."


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else f"{value:.15g}"


def _plain(text: str) -> str:
    """As written: a mark has no meaning in a script, and an Open is a text like any other."""
    return MARKS.sub("FILL_IN_THE_TIME", str(text))


def _merged(found: list[Any]) -> Any:
    made: dict[str, Any] = {}
    for one in found:
        if not isinstance(one, dict):
            return found
        if one.keys() == {"key", "value"} and isinstance(one["key"], str):
            made[one["key"]] = one["value"]
        else:
            made |= one
    return made
