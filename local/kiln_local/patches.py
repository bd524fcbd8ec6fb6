"""Replacing names in moto while a local AWS runs, and putting them back when it ends."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from functools import wraps
from typing import Any

_NOTHING = object()


class Patches:
    """Remembers what stood where."""

    def __init__(self) -> None:
        self._former: list[tuple[Any, str, Any]] = []

    def set(self, owner: Any, name: str, value: Any) -> Any:
        """Replace an attribute; its former value."""
        former = (
            vars(owner).get(name, _NOTHING)
            if isinstance(owner, type)
            else getattr(owner, name, _NOTHING)
        )
        self._former.append((owner, name, former))
        setattr(owner, name, value)
        return former

    def alone(self, owner: type, name: str, lock: AbstractContextManager[Any]) -> None:
        """Let a method run only while it has a lock."""
        call = getattr(owner, name)

        @wraps(call)
        def locked(*given: Any, **named: Any) -> Any:
            with lock:
                return call(*given, **named)

        self.set(owner, name, locked)

    def rebind(self, package: str, name: str, value: Any) -> None:
        """Replace a function in every loaded module of a package that imported it by name."""
        for module_name, module in list(sys.modules.items()):
            if module_name.startswith(package) and name in vars(module):
                self.set(module, name, value)

    def undo(self) -> None:
        """Put everything back, last change first."""
        while self._former:
            owner, name, value = self._former.pop()
            if value is _NOTHING:
                delattr(owner, name)
            else:
                setattr(owner, name, value)
