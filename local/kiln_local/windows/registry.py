"""The registry: keys with values, kept as a JSON file beside drive C:."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from kiln_local.windows.errors import NotHere, ScriptError
from kiln_local.windows.journal import Journal
from kiln_local.windows.values import Bag

_HIVES = {"registry::hkey_local_machine": "HKLM:", "hklm:": "HKLM:"}
# Windows has keys of its own here, which the simulated one does not list: any may be there.
_WINDOWS = (
    *("hklm:\\system", "hklm:\\sam", "hklm:\\security", "hklm:\\hardware"),
    *(rf"hklm:\software\{name}" for name in ("microsoft", "policies", "classes")),
    r"hklm:\software\wow6432node\microsoft",
)


def is_key(path: str) -> bool:
    """Whether a path is one of the registry."""
    return path.replace("/", "\\").partition("\\")[0].lower() in _HIVES


class Registry:
    """Keys by `HKLM:\\...`; names do not mind case."""

    def __init__(self, file: Path, journal: Journal | None = None) -> None:
        self._file = file
        self._journal = journal or Journal()
        self._keys: dict[str, dict[str, Any]] = (
            json.loads(file.read_text()) if file.exists() else {}
        )

    def save(self) -> None:
        """Write it to its file."""
        self._file.write_text(json.dumps(self._keys, indent=1, sort_keys=True))

    @staticmethod
    def _plain(path: str) -> str:
        if set("*?") & set(path):
            raise NotHere(f"wildcards in {path}")
        hive, _, rest = path.replace("/", "\\").partition("\\")
        return "\\".join([_HIVES[hive.lower()], *(part for part in rest.split("\\") if part)])

    def _key(self, path: str) -> str | None:
        wanted = self._plain(path).lower()
        return next((key for key in self._keys if key.lower() == wanted), None)

    def _changing(self) -> None:
        before = {key: dict(values) for key, values in self._keys.items()}

        def back() -> None:
            self._keys = before

        self._journal.note(back)

    def may_exist(self, path: str) -> bool:
        """Whether there is a key, or may be one of Windows' own."""
        wanted = self._plain(path).lower()
        own = any(wanted == key or wanted.startswith(f"{key}\\") for key in _WINDOWS)
        return own or self.exists(path)

    def exists(self, path: str) -> bool:
        """Whether there is a key, or one below it."""
        wanted = self._plain(path).lower()
        return any(k.lower() == wanted or k.lower().startswith(f"{wanted}\\") for k in self._keys)

    def values(self, path: str) -> Bag:
        """A key's values."""
        if not self.exists(path):
            raise ScriptError(f"Cannot find path '{path}' because it does not exist.")
        key = self._key(path)
        return Bag((self._keys[key] if key else {}).items())

    def get(self, path: str, name: str) -> Any:
        """One value, None where there is none."""
        return self.values(path).get(name) if self.exists(path) else None

    def set(self, path: str, name: str, value: Any) -> None:
        """Set a value, in a key that is made if it is missing."""
        self._changing()
        key = self._key(path) or self._plain(path)
        known = self._keys.setdefault(key, {})
        old = next((n for n in known if n.lower() == name.lower()), name)
        known[old] = value

    def drop(self, path: str, name: str) -> None:
        """Remove a value."""
        self._changing()
        key = self._key(path)
        if key:
            known = self._keys[key]
            for old in [n for n in known if n.lower() == name.lower()]:
                del known[old]

    def make(self, path: str) -> None:
        """A key without values."""
        if self._key(path) is None:
            self._changing()
            self._keys[self._plain(path)] = {}

    def remove(self, path: str) -> None:
        """Remove a key with those below."""
        self._changing()
        wanted = self._plain(path).lower()
        for key in list(self._keys):
            if key.lower() == wanted or key.lower().startswith(f"{wanted}\\"):
                del self._keys[key]

    def children(self, path: str) -> list[str]:
        """Keys right below."""
        if not self.exists(path):
            raise ScriptError(f"Cannot find path '{path}' because it does not exist.")
        start = f"{self._plain(path)}\\"
        found = {
            start + key[len(start) :].partition("\\")[0]
            for key in self._keys
            if key.lower().startswith(start.lower())
        }
        return sorted(found, key=str.lower)
