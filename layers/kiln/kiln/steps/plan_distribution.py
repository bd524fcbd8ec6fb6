"""PlanDistribution: record an image that is verified, and say where it is still to go. From here on
the image is good, and stays whatever becomes of its copies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiln.domain.bake import BakePlan, ImageRecord
from kiln.domain.durations import seconds
from kiln.domain.failure import Failure
from kiln.domain.identity import parse_facts
from kiln.domain.model import Model
from kiln.domain.packages import Contents
from kiln.domain.place import ImagePlace
from kiln.domain.platforms import Family
from kiln.domain.stopped import Stopped
from kiln.errors import DistributionFailed, InvalidBlueprint
from kiln.steps._bakes import plan_of, seconds_left
from kiln.steps._distribution import check_distribution, image_record, wish_of
from kiln.steps._taking_over import under_way
from kiln.steps._versions import version_of
from kiln.steps.verify_image import CommandRef

if TYPE_CHECKING:
    from kiln.domain.distribution import Distribute
    from kiln.ports import World

# What is on its way out is neither there nor gone.
_OUT = ("disabled", "deleting")


class PlanDistribution(Model):
    """An image. Its bake says where its contents are and which preparation named its release;
    whoever distributes it again names Regions (none: those that are missing), or the version of the
    blueprint that says now where it goes, and his execution. With `stopped` it ends another one's
    distribution, in the Regions where that did not come to an end."""

    image: str
    bake: str | None = None
    prepared: CommandRef | None = None
    contents: Contents | None = None
    regions: tuple[str, ...] = ()
    version: int | None = None
    execution: str = ""
    stopped: Stopped | None = None


class Target(Model):
    """A Region to do; the bake's own has the image already."""

    region: str
    own: bool


class DistributionPlanned(Model):
    """What the state machine needs: the Regions to do, and how long a copy may take (seconds); or,
    with a `failure`, the Regions to clear."""

    bake: str
    image: str
    places: tuple[Target, ...]
    wait_s: int
    failure: Failure | None = None


def plan_distribution(request: PlanDistribution, world: World) -> DistributionPlanned:
    """Decide what is to be done; again is harmless. Raises DistributionFailed, InvalidBlueprint."""
    if request.stopped:
        return _to_clear(request.image, request.stopped, world)
    found = world.images.describe(request.image)
    if found is None or found.state != "available":
        state = found.state if found else "gone"
        raise DistributionFailed(f"{request.image} is {state}, not available; it goes nowhere")
    record = _first(request, world) if request.bake else _again(request, world)
    plan = plan_of(record.bake, world)
    regions = _regions(request, record, wish_of(record, plan), world)
    if request.bake is None:
        world.records.note_distribution(record.id, request.execution)
    known = {place.region: place for place in world.records.places(record.id)}
    for region in regions:
        place = known.get(region) or ImagePlace(region=region)
        pending = {"status": "pending", "error": "", "cause": "", "by": request.execution}
        world.records.put_place(record.id, place.model_copy(update=pending))
    limit = seconds(plan.blueprint.deadline)
    return DistributionPlanned(
        bake=record.bake,
        image=record.id,
        places=tuple(Target(region=r, own=r == world.settings.region) for r in regions),
        # The bake's own time is over long since when it is done again.
        wait_s=seconds_left(plan, limit, world) if request.bake else limit,
    )


def _to_clear(image: str, stopped: Stopped, world: World) -> DistributionPlanned:
    """What a distribution that was stopped left undone, unless another one does it."""
    record = image_record(image, world)
    others = [name for found, name in world.records.open_distributions() if found == image]
    busy = any(under_way("distribution", name, world) for name in others if name != stopped.of)
    left = [p for p in world.records.places(image) if p.status == "pending" and not busy]
    own = world.settings.region
    return DistributionPlanned(
        bake=record.bake,
        image=image,
        places=tuple(Target(region=p.region, own=p.region == own) for p in left if p.by),
        wait_s=1,
        failure=stopped.failure,
    )


def _first(request: PlanDistribution, world: World) -> ImageRecord:
    plan = plan_of(request.bake or "", world)
    earlier = world.records.image(request.image)
    record = earlier or _record(request, plan, world)
    world.records.put_image(record)
    return record


def _record(request: PlanDistribution, plan: BakePlan, world: World) -> ImageRecord:
    blueprint, contents = plan.blueprint, request.contents or Contents(manifest="")
    return ImageRecord(
        id=request.image,
        name=plan.image_name,
        bake=plan.bake,
        blueprint=blueprint.name,
        version=plan.version,
        platform=blueprint.platform,
        architecture=plan.base.architecture,
        root_device=blueprint.root_device,
        base=plan.base.id,
        region=world.settings.region,
        created=world.clock.now(),
        release=_release(request, plan, world),
        manifest=contents.manifest,
        sbom=contents.sbom,
        contents=request.contents,
        layers=tuple(target.layer for target in blueprint.layers),
        fingerprint=plan.fingerprint,
    )


def _release(request: PlanDistribution, plan: BakePlan, world: World) -> str:
    """What the preparation found on the builder; nothing on Windows, which has no releases."""
    prepared = request.prepared
    if prepared is None or plan.blueprint.family is Family.WINDOWS:
        return ""
    said = world.commands.output(prepared.command, prepared.instance, "lock")
    return parse_facts(said.stdout).get("release", "")


def _again(request: PlanDistribution, world: World) -> ImageRecord:
    record = image_record(request.image, world)
    if not world.records.places(record.id):
        # Made before Kiln kept places: its bake announced it, and layers must not hear of it anew.
        record = record.model_copy(update={"announced": record.announced or record.created})
        world.records.put_image(record)
    if request.version is None:
        return record
    blueprint = version_of(record.blueprint, request.version, world).parsed
    check_distribution(blueprint.distribute, world)
    changed = record.model_copy(update={"distribute": blueprint.distribute})
    world.records.put_image(changed)
    return changed


def _regions(
    request: PlanDistribution, record: ImageRecord, wish: Distribute, world: World
) -> tuple[str, ...]:
    every = (record.region, *(target.region for target in wish.regions))
    unknown = [region for region in request.regions if region not in every]
    if unknown:
        raise InvalidBlueprint(
            f"regions: {record.id} does not go to {', '.join(unknown)}; it goes to "
            f"{', '.join(every)}"
        )
    known = world.records.places(record.id)
    _check_in_use(request, record, {p.region for p in known if p.status in _OUT})
    done = {p.region for p in known if p.retired or (p.ready and request.version is None)}
    return request.regions or tuple(region for region in every if region not in done)


def _check_in_use(request: PlanDistribution, record: ImageRecord, out: set[str]) -> None:
    """A copy that was taken out of use is still there, and would be replaced by another one."""
    for region in request.regions:
        if region in out:
            raise InvalidBlueprint(
                f"regions: {record.id} is out of use in {region}, as the lifecycle of its "
                "blueprint wants it; `aws ec2 enable-image` takes its copy back into use"
            )
