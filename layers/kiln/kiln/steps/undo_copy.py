"""UndoCopy: after a failure in one Region, remove a copy that is not available there and write down
why. A copy that is available stays, so that a repeat only does what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiln.domain.failure import Failure
from kiln.domain.model import Model
from kiln.errors import AwsRefused, TeardownFailed
from kiln.steps._distribution import image_record, keep_good, place_of

if TYPE_CHECKING:
    from kiln.ports import World


class UndoCopy(Model):
    """The bake's image, a Region and what failed there."""

    image: str
    region: str
    failure: Failure


class CopyUndone(Model):
    """The Region as it is now; `image` is a copy that stays, none where there is none."""

    region: str
    image: str | None


def undo_copy(request: UndoCopy, world: World) -> CopyUndone:
    """Clear one Region; again is harmless. Raises TeardownFailed, AwsBusy."""
    record = image_record(request.image, world)
    if request.region == record.region:
        image: str | None = record.id
    else:
        try:
            image = keep_good(record.id, record.bake, request.region, world)
        except AwsRefused as error:
            raise TeardownFailed(
                f"a copy of {record.id} is left behind in {request.region}: {error}"
            ) from error
    changed = {
        "image": image,
        "status": "incomplete" if image else "failed",
        "error": request.failure.name,
        "cause": request.failure.reason,
    }
    place = place_of(record.id, request.region, world).model_copy(update=changed)
    world.records.put_place(record.id, place)
    return CopyUndone(region=request.region, image=image)
