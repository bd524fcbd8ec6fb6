"""Strings: escapes, wildcards, regular expressions and formats as PowerShell has them."""

from __future__ import annotations

import re
from typing import Any

from kiln_local.windows.errors import NotHere, ScriptError
from kiln_local.windows.values import Bag, items, number, text

_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "0": "\0", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}


def unescaped(raw: str) -> str:
    """Text between the expansions of a string in double quotes."""
    return escapes(raw.replace('""', '"'))


def escapes(raw: str) -> str:
    """Text with backticks: what they say, or what they take the meaning from."""
    return re.sub(r"`(.)", lambda m: _ESCAPES.get(m[1], m[1]), raw, flags=re.DOTALL)


def verbatim(raw: str) -> str:
    """A string in single quotes, with its quotes."""
    return raw[1:-1].replace("''", "'")


def wildcard(pattern: str, case: bool = False) -> re.Pattern[str]:
    """-like: `*`, `?` and `[...]`, for the whole text."""
    parts = re.split(r"(\*|\?|\[[^\]]+\])", pattern)
    made = "".join(
        {"*": ".*", "?": "."}.get(p) or (_any_of(p) if p[:1] == "[" else re.escape(p))
        for p in parts
    )
    return re.compile(rf"(?s){made}\Z", 0 if case else re.IGNORECASE)


def _any_of(written: str) -> str:
    inner = re.sub(r"[\\^\[\]&~|]", lambda m: "\\" + m[0], written[1:-1])
    try:
        re.compile(f"[{inner}]")
    except re.error:
        raise ScriptError(
            f"The specified wildcard character pattern is not valid: {written}"
        ) from None
    return f"[{inner}]"


# .NET's way to write it, and Python's.
_DIALECT = {r"\z": r"\Z", r"\Z": r"(?=\n?\Z)", "(?<": "(?P<"}
_ATOM = re.compile(r"\\.|\(\?<(?![=!])|\[\^?\]?|.", re.DOTALL)
_MEMBER = re.compile(r"\\.|.", re.DOTALL)


def regex(pattern: str, case: bool = False) -> re.Pattern[str]:
    """.NET's expression as Python's. Raises NotHere where Python does not know it."""
    try:
        return re.compile(_translated(pattern), 0 if case else re.IGNORECASE)
    except (re.error, OverflowError) as error:
        raise NotHere(f"the expression {pattern}: {error}") from error


def _translated(pattern: str) -> str:
    """In brackets Python would warn of what stands for itself in .NET."""
    made, inside, at = "", False, 0
    while at < len(pattern):
        found = (_MEMBER if inside else _ATOM).match(pattern, at)
        atom = found[0] if found else pattern[at:]
        at += len(atom)
        if not inside:
            inside = atom[:1] == "["
            made += _DIALECT.get(atom, atom)
            continue
        if atom == "[" and made[-1:] == "-":
            raise NotHere(f"the expression {pattern}: a set without another")
        inside = atom != "]"
        plain = atom not in "[&~|" and not (atom == "-" == made[-1:])
        made += atom if plain else "\\" + atom
    return made


def matched(value: Any, pattern: str, case: bool) -> tuple[bool, Bag | None]:
    """-match, and what `$Matches` holds afterwards."""
    found = regex(pattern, case).search(text(value))
    if not found:
        return False, None
    names = {number: name for name, number in found.re.groupindex.items()}
    groups = enumerate((found[0], *found.groups()))
    held = [(names.get(n, str(n)), group) for n, group in groups if group is not None]
    return True, Bag(held, "hashtable")


def replaced(value: Any, arguments: Any, case: bool) -> Any:
    """-replace, of each item of an array."""
    given = items(arguments)
    if not given or len(given) > 2:
        raise ScriptError("The -replace operator takes an expression and a replacement.")
    expression, new = regex(text(given[0]), case), text(given[1]) if len(given) > 1 else ""
    if isinstance(value, list):
        return [_replaced(expression, new, text(item)) for item in value]
    return _replaced(expression, new, text(value))


def _replaced(expression: re.Pattern[str], new: str, value: str) -> str:
    def written(found: re.Match[str], place: re.Match[str]) -> str:
        """`$1`, `${name}`, `$&` and `$$`; a group that is none stays as it is written."""
        name = place[1] or place[2]
        if place[0] == "$$":
            return "$"
        if name is None:
            raise NotHere(f"{place[0]} in a replacement")
        key: str | int = int(name) if name.isdigit() else name
        is_group = key in expression.groupindex or (
            isinstance(key, int) and key <= expression.groups
        )
        return (found[key] or "") if is_group else place[0]

    places = re.compile(r"\$(?:(\d+)|\{(\w+)\}|[$&`'+_])")
    text_ = new.replace("$&", "$0")
    return expression.sub(lambda f: places.sub(lambda p: written(f, p), text_), value)


def split(value: Any, arguments: Any, case: bool) -> list[Any]:
    """-split by an expression, into at most so many parts."""
    given = items(arguments) or [""]
    if len(given) > 2:
        raise NotHere("options of -split")
    most = int(number(given[1])) if len(given) > 1 else 0
    parts: list[Any] = []
    for item in items(value):
        whole = [text(item)]
        found = regex(text(given[0]), case)
        parts += whole if most == 1 else found.split(whole[0], maxsplit=max(0, most - 1))
    return [part for part in parts if part is not None]
