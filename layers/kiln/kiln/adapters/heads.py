"""The images that channels point at."""

from __future__ import annotations

from kiln.ports import Head


class NoHeads:
    """`Heads` where there are no channels."""

    def heads(self) -> tuple[Head, ...]:
        """None."""
        return ()
