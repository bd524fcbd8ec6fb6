"""How a script leaves what it is doing."""

from __future__ import annotations

from typing import Any


class ScriptError(Exception):
    """A terminating error, as PowerShell throws one."""


class NotHere(Exception):
    """Something that the simulated Windows does not know; the statement has no effect."""


class Exit(Exception):
    """`exit N`."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Return(Exception):
    """`return`; what it returns has been put out already."""


class LoopEnd(Exception):
    """`break` or `continue`."""

    def __init__(self, again: bool) -> None:
        super().__init__(again)
        self.again = again


class PowerOff(Exception):
    """The system goes down under the script."""

    def __init__(self, what: Any = None) -> None:
        super().__init__(what)
