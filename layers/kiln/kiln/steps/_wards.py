"""The images of one Region beside the rules of their blueprints: what is to become of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiln.domain.naming import TAG_BAKE
from kiln.domain.pruning import Standing, Verdict, decide
from kiln.domain.uses import Use
from kiln.ports import Place, Sharing, World
from kiln.steps._uses import Lookout

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from kiln.domain.bake import ImageRecord
    from kiln.domain.image import ImageFacts
    from kiln.domain.place import ImagePlace
    from kiln.domain.retention import Rule, Step
    from kiln.steps._estate import Estate


class Ward:
    """The images of some blueprints in one Region, as one look finds them."""

    def __init__(self, region: str, names: Collection[str], estate: Estate, world: World) -> None:
        self.region = region
        self.names = names
        self.estate = estate
        self.world = world
        self.managed: dict[str, ImageFacts] = {}

    @property
    def there(self) -> Place:
        """The Region."""
        return self.world.regions.at(self.region)

    def place(self, standing: Standing) -> ImagePlace:
        """What is written down of an image here."""
        places = self.estate.places[standing.image]
        return next(place for place in places if place.region == self.region)

    def look(self) -> list[Verdict]:
        """What is to become of each image. What uses one is asked only of those that would be
        disabled or deleted, or are disabled."""
        if not self._has_work():
            return []
        self.managed = {image.id: image for image in self.there.shelf.managed()}
        standings = list(self._standings())
        suspects = [
            verdict.standing
            for verdict in self._decided(standings)
            if verdict.action in ("disable", "delete") or verdict.standing.disabled_by_us
        ]
        closer = {standing.here: standing for standing in self._closer(suspects)}
        return self._decided([closer.get(s.here, s) for s in standings])

    def _has_work(self) -> bool:
        """Whether there is a rule here, or an image on its way out."""
        places = (p for image in self._images() for p in self.estate.places[image.id])
        here = (place.status for place in places if place.region == self.region)
        leaving = any(status in ("disabled", "deleting") for status in here)
        return leaving or any(self._rules(name) for name in self.names)

    def _images(self) -> Iterator[ImageRecord]:
        return (image for name in self.names for image in self.estate.of(name))

    def _rules(self, name: str) -> dict[Step, Rule]:
        blueprint = self.estate.blueprints.get(name)
        return blueprint.lifecycle.in_region(self.region) if blueprint else {}

    def _decided(self, standings: list[Standing]) -> list[Verdict]:
        now = self.world.clock.now()
        found: list[Verdict] = []
        for name in self.names:
            own = (standing for standing in standings if standing.blueprint == name)
            found += decide(own, self._rules(name), now)
        return found

    def _standings(self) -> Iterator[Standing]:
        for record in self._images():
            for place in self.estate.places[record.id]:
                if place.region == self.region and place.image and place.status != "deleted":
                    facts = self.managed.get(place.image)
                    # Kiln's tags are what it may touch an image by.
                    mine = facts is not None and facts.tags.get(TAG_BAKE) == record.bake
                    bundled = record.root_device == "instance-store"
                    bundle = self.world.bundles.location(record.bake) if bundled else None
                    yield _standing(record, place, facts if mine else None, bundle)

    def _closer(self, standings: list[Standing]) -> Iterator[Standing]:
        """With what uses them, and who may launch them."""
        if not standings:
            return
        uses = Lookout(self.estate, self.world).uses(self.region, [s.here for s in standings])
        for standing in standings:
            reach = self.there.shelf.reach(standing.here)
            found = uses.get(standing.here, ())
            if reach.public:
                found += (Use(kind="public", name="everybody may launch it", image=standing.here),)
            shared = reach.shared or sharing_of(self.place(standing)) != Sharing()
            launched = self.there.shelf.launched(standing.here) if shared else None
            more = {"uses": found, "shared": shared, "launched": launched}
            yield standing.model_copy(update=more)

    def sizes(self, verdicts: Iterable[Verdict]) -> dict[str, tuple[int, int]]:
        """Of images that are to be deleted, by their ids here: bytes of snapshots, and of the parts
        of a bundle."""
        going = [verdict.standing for verdict in verdicts if verdict.action == "delete"]
        known = self.there.shelf.sizes({name for s in going for name in s.snapshots})
        found = {}
        for standing in going:
            parts = self.world.bundles.size(standing.bundle) if standing.bundle else 0
            snapshots = sum(known.get(name, 0) for name in standing.snapshots)
            found[standing.here] = snapshots, parts
        return found


def sharing_of(place: ImagePlace) -> Sharing:
    """With whom Kiln has shared an image."""
    return Sharing(place.accounts, place.organizations, place.organizational_units)


def _standing(
    record: ImageRecord, place: ImagePlace, facts: ImageFacts | None, bundle: str | None
) -> Standing:
    return Standing(
        image=record.id,
        here=place.image or "",
        region=place.region,
        blueprint=record.blueprint,
        version=record.version,
        bake=record.bake,
        name=record.name,
        created=record.created,
        state=facts.state if facts else "gone",
        status=place.status,
        protected=bool(facts and facts.protected),
        deprecated_at=facts.deprecated_at if facts else None,  # type: ignore[arg-type]
        snapshots=tuple(volume.snapshot for volume in facts.snapshots) if facts else (),
        bundle=bundle,
    )
