"""The ends of what a step said: Run Command shows the beginning, all of it lies in the bucket."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiln.domain.confidential import masked
from kiln.domain.failure import tail
from kiln.errors import AwsRefused

if TYPE_CHECKING:
    from collections.abc import Collection

    from kiln.ports import StepResult, World

# What GetCommandInvocation shows of an output at most, in characters (Systems Manager API).
MOST_STDOUT, MOST_STDERR = 24_000, 8_000
_END_BYTES = 8_000


def ends(output: StepResult, secrets: Collection[str], world: World) -> tuple[str, str]:
    """The ends of standard output and standard error without these secrets, empty where nothing was
    said."""
    whole = (
        _whole(output.stdout, MOST_STDOUT, output.stdout_key, world),
        _whole(output.stderr, MOST_STDERR, output.stderr_key, world),
    )
    # Masked first: an end may begin in the middle of a secret.
    stdout, stderr = (tail(masked(text, secrets)) for text in whole)
    return stdout, stderr


def _whole(shown: str, most: int, key: str, world: World) -> str:
    """What was shown, or where that is only the beginning a long end of it all."""
    if key and len(shown.encode()) >= most:
        try:
            return world.objects.end(key, _END_BYTES).decode(errors="replace")
        except AwsRefused:
            # The role of the instance may not have been allowed to put it there.
            return shown
    return shown
