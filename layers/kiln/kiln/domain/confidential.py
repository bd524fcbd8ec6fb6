"""Which values of a user's file may be secrets, by the names of their keys, and how Kiln keeps them
out of what it says.

A name tells: nothing else tells a password from a path. What is short is no secret that could be
found again in a text without spoiling it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

HIDDEN = "***"
SHORTEST = 6
_WORDS = frozenset(
    (
        *("password", "passwd", "passphrase", "passcode", "pass", "pwd", "pw", "secret", "secrets"),
        *("token", "tokens", "credential", "credentials", "key", "keys", "apikey", "auth", "pem"),
    )
)
# Words of a name: `DB_PASSWORD`, `db-password`, `dbPassword`, `APIKey`.
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
# Names of Kiln's own that hold what is no secret.
_OPEN = frozenset({"kms_key"})


def is_secret(name: str) -> bool:
    """Whether what has this name may be a secret."""
    words = (found.lower() for found in _WORD.findall(name[:200]))
    return name not in _OPEN and any(word in _WORDS for word in words)


def secrets_in(value: Any, below: bool = False) -> Iterator[str]:
    """Every text below a key whose name says that it is a secret."""
    if isinstance(value, dict):
        for key, found in value.items():
            yield from secrets_in(found, below or is_secret(str(key)))
    elif isinstance(value, list | tuple):
        for found in value:
            yield from secrets_in(found, below)
    elif below and isinstance(value, str):
        yield value


def hidden(value: Any, below: bool = False) -> Any:
    """The same value, with three asterisks for every text or number that may be a secret."""
    if isinstance(value, dict):
        return {key: hidden(found, below or is_secret(str(key))) for key, found in value.items()}
    if isinstance(value, list | tuple):
        return [hidden(found, below) for found in value]
    return HIDDEN if below and value not in (None, "", True, False) else value


def masked(text: str, secrets: Iterable[str]) -> str:
    """A text without these secrets. Of one of several lines each line is one: a key is often
    printed without its line breaks."""
    parts = {part.strip() for secret in secrets for part in (secret, *secret.splitlines())}
    for part in sorted(parts, key=len, reverse=True):
        if len(part) >= SHORTEST:
            text = text.replace(part, HIDDEN)
    return text
