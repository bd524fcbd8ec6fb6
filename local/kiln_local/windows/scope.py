"""Variables: a scope for each function call, `$script:` in the outermost, `$env:` beside them."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from kiln_local.windows.errors import NotHere
from kiln_local.windows.journal import Journal
from kiln_local.windows.values import UNKNOWN, Bag, text

_PLACES = ("env", "script", "global", "local")
_AUTOMATIC = frozenset(
    {
        *(
            "error",
            "psversiontable",
            "psscriptroot",
            "pscommandpath",
            "myinvocation",
            "host",
            "pid",
        ),
        *("home", "pwd", "profile", "pshome", "shellid", "executioncontext", "stacktrace"),
        *("pscmdlet", "psboundparameters", "iswindows", "islinux", "psculture", "psuiculture"),
        *("psedition", "foreach", "switch", "this", "ofs", "sender", "event"),
    }
)


class Scope:
    """Names do not mind case. A name that is not here is looked for outside; it is set here."""

    def __init__(self, outer: Scope | None = None, journal: Journal | None = None) -> None:
        self.outer = outer
        self._journal: Journal = journal or (outer._journal if outer else Journal())
        self._values: dict[str, Any] = {}

    @property
    def outermost(self) -> Scope:
        """The script's own scope."""
        return self.outer.outermost if self.outer else self

    def get(self, name: str) -> Any:
        """A variable's value, None where there is none."""
        key = name.lower()
        if key in self._values:
            return self._values[key]
        return self.outer.get(name) if self.outer else None

    def has(self, name: str) -> bool:
        """Whether a variable was ever set."""
        return name.lower() in self._values or (self.outer is not None and self.outer.has(name))

    def set(self, name: str, value: Any) -> None:
        """Set a variable of this scope."""
        self._journal.keep(self._values, name.lower())
        self._values[name.lower()] = value


class Variables:
    """What `$name` is, in whatever notation it is written."""

    def __init__(self, environment: dict[str, str], journal: Journal) -> None:
        self.environment = Bag(environment.items(), "hashtable")
        self.journal = journal
        self.scope = Scope(None, journal)
        for name, value in (("true", True), ("false", False), ("null", None)):
            self.scope.set(name, value)
        self.scope.set("ErrorActionPreference", "Continue")
        self.scope.set("LASTEXITCODE", 0)
        self.scope.set("?", True)

    def read(self, written: str) -> Any:
        """`$x`, `${x}`, `$script:x`, `$env:X`."""
        place, name = _split(written)
        if place == "env":
            return self.environment.get(name)
        scope = self.scope.outermost if place in ("script", "global") else self.scope
        return scope.get(name)

    def write(self, written: str, value: Any) -> None:
        """Set one."""
        place, name = _split(written)
        if place == "env":
            self.set_environment(name, text(value))
            return
        scope = self.scope.outermost if place in ("script", "global") else self.scope
        scope.set(name, value)

    def forget(self, written: str) -> None:
        """What it holds is not known, if it is a variable that can hold something here."""
        with suppress(NotHere):
            self.write(written, UNKNOWN)

    def set_environment(self, name: str, value: str) -> None:
        """Set a variable of the environment; an empty one is none."""
        self.journal.note(self.environment.restored())
        if value:
            self.environment.set(name, value)
        else:
            self.environment.drop(name)

    def automatic(self, written: str) -> bool:
        """Whether PowerShell itself would have set it, and nothing here did."""
        place, name = _split(written)
        return not place and name.lower() in _AUTOMATIC and not self.scope.has(name)

    def known(self, written: str) -> bool:
        """Whether it was ever set; a variable of the environment may always be asked for."""
        place, name = _split(written)
        return place == "env" or self.scope.has(name)


def _split(written: str) -> tuple[str, str]:
    bare = written.lstrip("$@").strip("{}")
    place, colon, name = bare.partition(":")
    if not colon:
        return "", "_" if bare.lower() == "psitem" else bare
    if place.lower() not in _PLACES:
        raise NotHere(f"the variable {written}")
    return place.lower(), name
