"""Parameters of a command document, put in as the agent does it: as text, traps included.

Numbers in the comments are the points of the notes on how the agent runs a document.
"""

from __future__ import annotations

import html
import json
import re
from typing import Any

_MENTION = re.compile(r"\{\{\s*([A-Za-z0-9]+)\s*\}\}")
Values = dict[str, Any]


def values_for(document: dict[str, Any], given: dict[str, list[str]]) -> Values:
    """Each parameter's value: what was sent, else the default. Lists only where the type says
    so."""
    values: Values = {}
    for name, spec in document.get("parameters", {}).items():
        sent = given.get(name)
        # 13: a name outside [A-Za-z0-9] loses its value and the default is used.
        if sent is None or not name.isalnum():
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
    whole = _MENTION.fullmatch(text.strip())
    if whole and whole[1] in values and isinstance(values[whole[1]], list | dict):
        return values[whole[1]]
    return _MENTION.sub(lambda found: _plain(found, values), text)


def _plain(found: re.Match[str], values: Values) -> str:
    if found[1] not in values:
        return found[0]
    value = values[found[1]]
    # 11: a missing value becomes null; lists and maps become HTML-escaped JSON; $$ becomes $.
    if value is None:
        return "null"
    if isinstance(value, list | dict):
        return html.escape(json.dumps(value))
    return str(value).replace("$$", "$")
