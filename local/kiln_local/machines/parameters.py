"""Parameters of a command document, put in as the agent does it: as text, traps included.

Numbers in the comments are the points of the notes on how the agent runs a document.
"""

from __future__ import annotations

import json
import re
from typing import Any

_MENTION = re.compile(r"\{\{\s*([A-Za-z0-9]+)\s*\}\}")
_WHOLE = re.compile(r"^\{\{\s*([A-Za-z0-9]+)\s*\}\}\Z")
_NAME = re.compile(r"[A-Za-z0-9]+")
_DOLLAR = re.compile(r"\$(?:\$|\{(\w+)\}|(\w+))", re.ASCII)
Values = dict[str, Any]


def values_for(document: dict[str, Any], given: dict[str, list[str]]) -> Values:
    """Each parameter's value: what was sent, else the default. Lists only where the type says
    so."""
    values: Values = {}
    for name, spec in (document.get("parameters") or {}).items():
        sent = given.get(name)
        # 13: a name outside [A-Za-z0-9] loses its value and the default is used.
        if sent is None or not _NAME.fullmatch(name):
            values[name] = spec.get("default")
        elif spec.get("type") in ("StringList", "MapList"):
            values[name] = list(sent)
        else:
            values[name] = sent[0] if sent else ""
    return values


def resolve(value: Any, values: Values) -> Any:
    """A part of a step with its mentions replaced, wherever they stand."""
    if isinstance(value, str):
        return _text(value, values)
    if isinstance(value, list):
        return [resolve(part, values) for part in value]
    if isinstance(value, dict):
        return {key: resolve(part, values) for key, part in value.items()}
    return value


def _text(text: str, values: Values) -> Any:
    whole = _WHOLE.match(text)
    if whole and whole[1] in values:
        # A mention that stands alone takes the value as it is, whatever its type and characters.
        return values[whole[1]]
    return _MENTION.sub(lambda found: _embedded(found, values), text)


def _embedded(found: re.Match[str], values: Values) -> str:
    if found[1] not in values:
        return found[0]
    value = values[found[1]]
    # 11: a missing value becomes null, lists and maps become JSON that is safe inside HTML.
    text = value if isinstance(value, str) else _go_json(value)
    return _DOLLAR.sub(lambda dollar: _expanded(dollar, found[0]), text)


def _go_json(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _expanded(dollar: re.Match[str], mention: str) -> str:
    """11: the agent lets Go's regexp replace, where `$$` means `$`, `$0` the mention itself and
    any other name nothing."""
    name = dollar[1] or dollar[2]
    if dollar[0] == "$$":
        return "$"
    return mention if name == "0" else ""
