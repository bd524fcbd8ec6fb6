"""Strings: escapes, wildcards, regular expressions and formats as PowerShell has them."""

from __future__ import annotations

import re
from typing import Any

from kiln_local.windows.errors import ScriptError
from kiln_local.windows.values import Bag, items, text

_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "0": "\0", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}


def unescaped(raw: str) -> str:
    """Text between the expansions of a string in double quotes."""
    pairs = re.sub(r'""', '"', raw)
    return re.sub(r"`(.)", lambda m: _ESCAPES.get(m[1], m[1]), pairs, flags=re.DOTALL)


def verbatim(raw: str) -> str:
    """A string in single quotes, with its quotes."""
    return raw[1:-1].replace("''", "'")


def wildcard(pattern: str) -> re.Pattern[str]:
    """-like: `*`, `?` and `[...]`."""
    parts = re.split(r"(\*|\?|\[[^\]]+\])", pattern)
    made = "".join(
        {"*": ".*", "?": "."}.get(p) or (p if p[:1] == "[" else re.escape(p)) for p in parts
    )
    return re.compile(f"(?s)^{made}$", re.IGNORECASE)


def regex(pattern: str, case: bool = False) -> re.Pattern[str]:
    """.NET's expression as Python's: the two agree on what scripts here use."""
    try:
        return re.compile(pattern, 0 if case else re.IGNORECASE)
    except re.error as error:
        raise ScriptError(f'parsing "{pattern}": {error}') from error


def matched(value: Any, pattern: str, case: bool) -> tuple[bool, Bag | None]:
    """-match, and what `$Matches` holds afterwards."""
    found = regex(pattern, case).search(text(value))
    if not found:
        return False, None
    groups = enumerate((found[0], *found.groups()))
    bag = Bag([(str(n), group) for n, group in groups if group is not None], "hashtable")
    for name, group in found.groupdict().items():
        bag.set(name, group)
    return True, bag


def replaced(value: Any, arguments: Any, case: bool) -> Any:
    """-replace: `$1` and `${name}` in the replacement."""
    given = items(arguments)
    pattern, new = text(given[0]), text(given[1]) if len(given) > 1 else ""
    template = re.sub(r"\$\{?(\w+)\}?", r"\\g<\1>", new.replace("\\", r"\\")).replace("$$", "$")
    if isinstance(value, list):
        return [regex(pattern, case).sub(template, text(item)) for item in value]
    return regex(pattern, case).sub(template, text(value))


def split(value: Any, arguments: Any, case: bool) -> list[Any]:
    """-split by an expression, into at most so many parts."""
    given = items(arguments)
    most = int(given[1]) if len(given) > 1 else 0
    parts: list[Any] = []
    for item in items(value):
        parts += regex(text(given[0]), case).split(text(item), maxsplit=max(0, most - 1))
    return parts


def formatted(template: str, arguments: Any) -> str:
    """-f with plain places and `{0:N}`-like widths of whole numbers."""
    given = items(arguments)

    def place(found: re.Match[str]) -> str:
        value = given[int(found[1])]
        return f"{value:0{found[2][1:]}d}" if found[2] and found[2][:1] == "D" else text(value)

    return re.sub(r"\{(\d+)(?::([^}]*))?\}", place, template)
