"""When a blueprint is not baked any more unless somebody asks for it."""

from __future__ import annotations

from kiln.domain.model import Model


class Pause(Model):
    """Why a blueprint is paused, since when (ISO 8601) and by whom: an ARN, or `kiln`, which pauses
    a blueprint whose bakes have failed in a row.

    Kiln's own pause is of one version: a new one is given a chance. A person's has no version and
    stays until somebody resumes.
    """

    reason: str
    since: str
    by: str
    version: int | None = None

    def holds(self, version: int) -> bool:
        """Whether bakes of a version are stopped by it."""
        return self.version is None or self.version >= version
