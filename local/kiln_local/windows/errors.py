"""How a script leaves what it is doing."""

from __future__ import annotations


class ScriptError(Exception):
    """An error that ends the statement; the next one runs, unless errors are to stop the script."""


class Thrown(ScriptError):
    """What ends the script where nothing catches it: `throw`, and errors where they are to stop."""


class Refused(ScriptError):
    """A cmdlet that did not start, whatever its -ErrorAction: a parameter is wrong or missing."""


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
