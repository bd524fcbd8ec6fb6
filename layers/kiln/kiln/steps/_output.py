"""The ends of what a step said: Run Command shows the beginning, all of it lies in the bucket."""

from __future__ import annotations

from kiln.domain.failure import tail
from kiln.errors import AwsRefused
from kiln.ports import StepResult, World

# What GetCommandInvocation shows of an output at most, in characters (Systems Manager API).
_MOST_STDOUT, _MOST_STDERR = 24_000, 8_000
_END_BYTES = 8_000


def ends(output: StepResult, world: World) -> tuple[str, str]:
    """The ends of standard output and standard error, empty where nothing was said."""
    return (
        _end(output.stdout, _MOST_STDOUT, output.stdout_key, world),
        _end(output.stderr, _MOST_STDERR, output.stderr_key, world),
    )


def _end(shown: str, most: int, key: str, world: World) -> str:
    if key and len(shown.encode()) >= most:
        try:
            return tail(world.objects.end(key, _END_BYTES).decode(errors="replace"))
        except AwsRefused:
            # The role of the instance may not have been allowed to put it there.
            return tail(shown)
    return tail(shown)
