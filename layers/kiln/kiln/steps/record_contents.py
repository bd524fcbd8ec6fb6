"""RecordContents: where the list of what is in the image lies."""

from __future__ import annotations

from kiln.domain.model import Model
from kiln.domain.naming import output_prefix, step_output_key
from kiln.ports import World
from kiln.steps._bakes import plan_of
from kiln.steps.verify_image import CommandRef


class RecordContents(Model):
    """The bake, its image, and the preparation that listed the packages."""

    bake: str
    image: str
    prepared: CommandRef


class ContentsRecorded(Model):
    """Keys in Kiln's bucket."""

    manifest: str


def record_contents(request: RecordContents, world: World) -> ContentsRecorded:
    """The key of the package manifest."""
    prefix = output_prefix(plan_of(request.bake, world).bake, "prepare-0")
    prepared = request.prepared
    key = step_output_key(prefix, prepared.command, prepared.instance, "packages")
    return ContentsRecorded(manifest=key)
