"""UndoCopy: clear a Region where a copy failed."""

from kiln.runtime import step, world
from kiln.steps.undo_copy import CopyUndone, UndoCopy, undo_copy


@step(UndoCopy)
def handler(request: UndoCopy) -> CopyUndone:
    return undo_copy(request, world())
