"""How policies match text: wildcards, ARNs and policy variables.

Source: IAM User Guide, "IAM JSON policy elements: Resource", "Variables and tags" and "Condition
operators".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

Value = str | tuple[str, ...]
Keys = Mapping[str, Value]

_VARIABLE = re.compile(r"\$\{([^}]*)\}")
# ${*}, ${?} and ${$} stand for the characters themselves.
_LITERAL = {"*": "\ue000", "?": "\ue001", "$": "$"}
_PLAIN = str.maketrans({"\ue000": "*", "\ue001": "?"})
_ARN_PARTS = 6


@lru_cache(maxsize=4096)
def _compiled(pattern: str, fold: bool) -> re.Pattern[str]:
    text = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".").translate(_ESCAPED)
    return re.compile(text, re.DOTALL | (re.IGNORECASE if fold else 0))


_ESCAPED = str.maketrans({"\ue000": r"\*", "\ue001": r"\?"})


# The same few patterns are asked about the same resources in call after call.
@lru_cache(maxsize=16384)
def like(pattern: str, text: str, *, fold: bool = False) -> bool:
    """Whether a text matches a pattern with `*` and `?`, whole."""
    if pattern == "*":
        return True
    return _compiled(pattern, fold).fullmatch(text) is not None


@lru_cache(maxsize=16384)
def arn_like(pattern: str, arn: str) -> bool:
    """Whether an ARN matches: a wildcard stays within its part of the first five, and the last part
    is one text, colons included."""
    if pattern == "*":
        return True
    wanted, found = pattern.split(":", _ARN_PARTS - 1), arn.split(":", _ARN_PARTS - 1)
    return len(wanted) == len(found) and all(map(like, wanted, found))


def filled(text: str, keys: Keys) -> str | None:
    """A text with its policy variables; None where one has no value, so that nothing matches."""
    if "${" not in text:
        return text
    missing = False

    def value(found: re.Match[str]) -> str:
        nonlocal missing
        name, _, default = found[1].partition(",")
        name = name.strip()
        if name in _LITERAL:
            return _LITERAL[name]
        known = keys.get(name.lower())
        if isinstance(known, str):
            # What a variable stands for is text, whatever it looks like.
            return known.replace("*", "\ue000").replace("?", "\ue001")
        if default:
            return default.strip().strip("'")
        missing = True
        return ""

    done = _VARIABLE.sub(value, text)
    return None if missing else done


def plain(text: str) -> str:
    """A filled text where nothing is a wildcard any more."""
    return text.translate(_PLAIN)
