"""DistributeImage: in one Region where the image is available, let those have it who are to: tags,
deprecation date, permissions, launch templates, and last the pointer that names it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from kiln.domain.durations import seconds
from kiln.domain.model import Model
from kiln.domain.naming import TAG_BAKE, TAG_MANAGED, client_token
from kiln.domain.place import ImagePlace
from kiln.errors import AwsRefused, DistributionFailed
from kiln.ports import Place, Sharing, World
from kiln.steps._bakes import plan_of
from kiln.steps._distribution import image_record, image_tags, place_of, wish_of
from kiln.steps._pointers import point

if TYPE_CHECKING:
    from kiln.domain.bake import BakePlan, ImageRecord
    from kiln.domain.distribution import Distribute
    from kiln.domain.image import ImageFacts


class DistributeImage(Model):
    """The bake's image, a Region, and the image's id there."""

    image: str
    region: str
    here: str


class ImagePlaced(Model):
    """The image in its Region, as all who are to have it have it now."""

    region: str
    image: str


def distribute_image(request: DistributeImage, world: World) -> ImagePlaced:
    """Put the image in its place; again is harmless. Raises DistributionFailed, AwsBusy."""
    record = image_record(request.image, world)
    plan = plan_of(record.bake, world)
    there = world.regions.at(request.region)
    image = there.images.describe(request.here)
    if image is None or image.state != "available":
        state = image.state if image else "gone"
        raise DistributionFailed(f"{request.here} is {state}, not available; it is not pointed at")
    wish = wish_of(record, plan)
    try:
        _mark(image, record, plan, there)
        _share(image, wish, there)
        _speed_up(image, wish, request.region, there)
        versions = _templates(image, wish, request.region, world)
        if wish.parameter:
            point(wish.parameter, image.id, there.parameters)
        _hand_over(image, record, plan, request.region, world)
    except AwsRefused as error:
        raise DistributionFailed(
            f"{image.id} could not be distributed in {request.region}: {error}"
        ) from error
    return _done(request, wish, versions, world)


def _mark(image: ImageFacts, record: ImageRecord, plan: BakePlan, there: Place) -> None:
    snapshots = (volume.snapshot for volume in image.snapshots)
    there.images.tag((image.id, *snapshots), image_tags(record, plan))
    age = plan.blueprint.image.deprecate_after
    if age:
        # From the bake on, so that every Region and every repeat says the same date.
        there.images.deprecate(image.id, record.created + timedelta(seconds=seconds(age)))


def _share(image: ImageFacts, wish: Distribute, there: Place) -> None:
    if wish.shared:
        sharing = Sharing(wish.accounts, wish.organizations, wish.organizational_units)
        there.outlet.share(image.id, sharing)
    if wish.copyable:
        # To launch an image nobody needs its snapshots; to copy it, they do (EC2 User Guide, "Share
        # an AMI with specific AWS accounts").
        snapshots = [volume.snapshot for volume in image.snapshots]
        there.outlet.share_snapshots(snapshots, wish.accounts)


def _speed_up(image: ImageFacts, wish: Distribute, region: str, there: Place) -> None:
    zones = wish.zones_in(region)
    if zones:
        snapshots = [volume.snapshot for volume in image.snapshots]
        there.outlet.enable_fast_restore(snapshots, zones)
    if wish.fast_launch:
        there.outlet.enable_fast_launch(image.id, wish.fast_launch)


def _templates(image: ImageFacts, wish: Distribute, region: str, world: World) -> dict[str, int]:
    outlet = world.regions.at(region).outlet
    versions = {}
    for template in wish.templates_in(region, world.settings.region):
        token = client_token(image.id, region, template.label)
        versions[template.label] = outlet.add_version(template, image.id, token)
        if template.default:
            outlet.make_default(template, versions[template.label])
    return versions


def _hand_over(
    image: ImageFacts, record: ImageRecord, plan: BakePlan, region: str, world: World
) -> None:
    """Tags and pointer in the accounts that gave Kiln a role: those of the owner are not seen there
    (EC2 User Guide, "Share an AMI with specific AWS accounts"). Kiln's marks of what it may remove
    stay at home."""
    wish = wish_of(record, plan)
    own = (TAG_BAKE, TAG_MANAGED)
    tags = {key: tag for key, tag in image_tags(record, plan).items() if key not in own}
    for account in wish.accounts if world.settings.distribution_role else ():
        there = world.regions.at(region, account)
        there.images.tag((image.id,), tags)
        if wish.parameter:
            point(wish.parameter, image.id, there.parameters)


def _done(
    request: DistributeImage, wish: Distribute, versions: dict[str, int], world: World
) -> ImagePlaced:
    former = place_of(request.image, request.region, world)
    place = ImagePlace(
        region=request.region,
        image=request.here,
        status="available",
        lost=former.lost,
        accounts=wish.accounts,
        organizations=wish.organizations,
        organizational_units=wish.organizational_units,
        parameter=wish.parameter,
        launch_templates=versions,
    )
    world.records.put_place(request.image, place)
    return ImagePlaced(region=place.region, image=request.here)
