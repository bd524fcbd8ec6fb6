"""PromoteImage: let an image into the next channel of its blueprint, write the channel's pointers
in every Region where the image is, and tell the bus."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiln.domain.channel import (
    Channel,
    ChannelImage,
    History,
    before,
    check_entry,
    is_back,
)
from kiln.domain.model import Model, Text
from kiln.errors import AwsBusy, AwsRefused, DistributionFailed, InvalidRequest
from kiln.steps._channels import (
    available_in,
    histories,
    is_told,
    let_in,
    next_entry,
    standing,
    subscribers,
    tell,
)
from kiln.steps._pointers import point

if TYPE_CHECKING:
    from kiln.domain.bake import ImageRecord
    from kiln.ports import World

# Each of them means that somebody else has promoted while pointers were written.
_TRIES = 5


class PromoteImage(Model):
    """An image's id, or a blueprint's name for the image in its channel `source`, by default the
    one before `to`; `by` is who asks. The same `token` again promotes nothing anew. With `dry_run`
    nothing is changed."""

    target: Text
    to: Channel
    source: Channel | None = None
    by: str = ""
    token: str = ""
    dry_run: bool = False


class Taking(Model):
    """A layer that takes the channel's images, the image that it runs now and whether a rollout
    brings it another one."""

    layer: str
    strategy: str
    runs: str | None
    changes: bool


class Promoted(Model):
    """What is in the channel now, or would be: `changed` says whether it was not before, `back`
    whether the channel went back to it; `former` is what was there, `gone_for` what somebody else
    has promoted meanwhile. `images` are by Region."""

    blueprint: str
    version: int
    channel: Channel
    image: str
    name: str
    number: int
    changed: bool
    back: bool
    source: Channel | None
    former: str | None
    gone_for: str | None = None
    images: dict[str, str]
    parameters: tuple[str, ...]
    layers: tuple[Taking, ...]
    dry_run: bool


def promote_image(request: PromoteImage, world: World) -> Promoted:
    """Promote; the same again finishes what was left undone and changes nothing else. Raises
    InvalidRequest, DistributionFailed, AwsBusy."""
    record = _wanted(request, world)
    images = _images(record, world)
    entry = _decided(request, record, world)
    if entry and not request.dry_run:
        entry = let_in(lambda: _decided(request, record, world), world)
    history = world.channels.history(record.blueprint, request.to)
    now = entry or _made(request, history) or history[-1]
    # What was cut short before the bus was told is a change that has still to be made.
    changed = entry is not None or not is_told(now, world)
    former = history[now.number - 2].image if now.number > 1 else None
    result = Promoted(
        blueprint=record.blueprint,
        version=record.version,
        channel=request.to,
        image=record.id,
        name=record.name,
        number=now.number,
        changed=changed,
        back=now.back,
        source=now.source,
        former=former,
        images=images,
        parameters=_pointers(record, request.to, world),
        layers=_taking(record, request.to, images, world),
        dry_run=request.dry_run,
    )
    if request.dry_run:
        return result
    there = _settle(now, record, world)
    return result.model_copy(update={"gone_for": there if there != record.id else None})


def _wanted(request: PromoteImage, world: World) -> ImageRecord:
    """The image that is asked for, by its id or by the channel that it is in."""
    source = request.source or before(request.to)
    record = world.records.image(request.target)
    if record is None:
        return _of_blueprint(request, source, world)
    if request.source:
        there = world.channels.current(record.blueprint, request.source)
        if there is None or there.image != record.id:
            now = f"{there.image} is" if there else "nothing is"
            raise InvalidRequest(
                f"{record.id} is not in {request.source} of {record.blueprint}, {now}"
            )
    return record


def _of_blueprint(request: PromoteImage, source: Channel | None, world: World) -> ImageRecord:
    known = sorted({*world.versions.names(), *world.records.baked()})
    if request.target not in known:
        raise InvalidRequest(
            f"{request.target} is no image that Kiln has made here and no blueprint; known: "
            f"{', '.join(known) or 'none'}"
        )
    if source is None:
        raise InvalidRequest(
            f"{request.to} is the first channel: an image enters it by itself; name one by its id "
            f"to bring {request.to} back to it"
        )
    there = world.channels.current(request.target, source)
    record = world.records.image(there.image) if there else None
    if record is None:
        raise InvalidRequest(
            f"nothing is in {source} of {request.target} yet; "
            + (
                f"`kiln promote {request.target} --to {source}` comes first"
                if before(source)
                else f"`kiln bake {request.target}` makes an image"
            )
        )
    return record


def _images(record: ImageRecord, world: World) -> dict[str, str]:
    """The image in every Region where it should be. InvalidRequest where it is not, or no more."""
    for place in world.records.places(record.id):
        if place.status != "available":
            why = f" ({place.error}: {place.cause})" if place.error else ""
            raise InvalidRequest(
                f"{record.id} ({record.name}) is {place.status} in {place.region}{why}; "
                f"`kiln distribute {record.id}` does what is missing, then promote it"
            )
    found = available_in(record, world)
    for region, image in found.items():
        facts = world.regions.at(region).images.describe(image)
        if facts is None or facts.state != "available":
            state = f"is {facts.state}" if facts else "does not exist any more, or is disabled,"
            raise InvalidRequest(
                f"{image} ({record.name}) {state} in {region}; promote another image"
            )
    return found


def _decided(request: PromoteImage, record: ImageRecord, world: World) -> ChannelImage | None:
    """The entry that is to be made; None where the image is in the channel already."""
    known = histories(record.blueprint, world)
    history = known[request.to]
    check_entry(record, request.to, known)
    if _made(request, history) or (history and history[-1].image == record.id):
        return None
    source = request.source or before(request.to)
    change = {
        "by": request.by,
        "source": source,
        "back": is_back(record, history),
        "token": request.token,
    }
    return next_entry(record, request.to, history, world).model_copy(update=change)


def _made(request: PromoteImage, history: History) -> ChannelImage | None:
    """What this very request has let in before: asked again, because its answer was lost or a
    pointer was busy, it must not win over who came after it."""
    return next((e for e in history if request.token and e.token == request.token), None)


def _pointers(record: ImageRecord, channel: Channel, world: World) -> tuple[str, ...]:
    name = standing(record, world).distribute.channel_parameters.get(channel)
    return (name,) if name else ()


def _taking(
    record: ImageRecord, channel: Channel, images: dict[str, str], world: World
) -> tuple[Taking, ...]:
    here = images.get(world.settings.region)
    found = []
    for layer, feed in subscribers(standing(record, world), channel, world).items():
        taken = world.records.layer_images(layer)
        runs = taken[-1].image if taken else None
        changes = here is not None and runs != here
        found.append(Taking(layer=layer, strategy=feed.strategy, runs=runs, changes=changes))
    return tuple(found)


def _settle(entry: ChannelImage, record: ImageRecord, world: World) -> str:
    """Let the pointers name what is in the channel, and tell the bus of the entry if it is; the
    image that is there.

    Two who promote at once write the same pointers in any order. Whoever has written one for an
    image that has left the channel meanwhile writes it again, so the last one is right.
    """
    current: ChannelImage | None = entry
    for _ in range(_TRIES):
        assert current is not None, "a channel is never emptied"
        _write_pointers(current, world)
        written = current.number
        current = world.channels.current(entry.blueprint, entry.channel)
        if current and current.number == written:
            if written == entry.number:
                tell(entry, record, world)
            return current.image
    raise AwsBusy(f"{entry.label} changes all the time; promote again")


def _write_pointers(entry: ChannelImage, world: World) -> None:
    record = world.records.image(entry.image)
    if record is None:
        return
    accounts = {place.region: place.accounts for place in world.records.places(record.id)}
    for name in _pointers(record, entry.channel, world):
        for region, image in available_in(record, world).items():
            shared = accounts.get(region, ()) if world.settings.distribution_role else ()
            for account in (None, *shared):
                _write(name, image, (region, account), entry, world)


def _write(
    name: str, image: str, where: tuple[str, str | None], entry: ChannelImage, world: World
) -> None:
    region, account = where
    try:
        point(name, image, world.regions.at(region, account).parameters)
    except AwsRefused as error:
        place = region + (f" of account {account}" if account else "")
        raise DistributionFailed(
            f"{entry.image} is in {entry.label}, but parameter {name} in {place} could not be "
            f"written, and no layer was told: {error}; once that is mended, promote it again"
        ) from error
