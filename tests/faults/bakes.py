"""Bakes, and distributions of an image that was baked before."""

from __future__ import annotations

from typing import Any

from kiln.domain.bake import BakeRecord, BakeStatus
from kiln.domain.naming import bake_id
from kiln.domain.place import ImagePlace
from kiln_local.world import LocalAws
from tests.faults.cases import Case
from tests.faults.ground import Ground, Unended, Verdict

FAR = "eu-central-1"
BLUEPRINT: dict[str, Any] = {
    "kind": "blueprint",
    "platform": "debian-12",
    "base": {"parameter": "/aws/service/debian/release/12/latest/amd64"},
    "builder": {"instance_types": ["m7i.large"]},
    "steps": [{"name": "tune", "shell": "true"}],
    "verify": {"steps": [{"name": "is there", "shell": "true"}]},
    "distribute": {"parameter": "/images/case", "regions": [{"region": FAR}]},
}


class Bakes(Ground):
    """One bake after another, each of a blueprint of its own."""

    name = "bake"
    machines = ("bake",)
    changes: dict[str, Any] = {}

    def prepare(self) -> None:
        """Nothing: each bake is of a blueprint of its own."""

    def begin(self) -> str:
        name = f"{self.name}-{next(self.numbers)}"
        bake = bake_id(name, self.aws.clock.now(), name)
        self.start("bake", bake, {"blueprint": BLUEPRINT | {"name": name} | self.changes})
        return bake

    def is_over(self, run: str) -> bool:
        record = self.kiln.records.bake(run)
        return record is None or record.ended is not None

    def judge(self, case: Case, run: str) -> Verdict:
        told, record = self.told("bake", run), self.kiln.records.bake(run)
        if told["status"] == "RUNNING" or (record and not record.ended):
            said = record.status if record else "not there"
            return Verdict(case.name, "lied", f"{run} is {told['status']}, its record {said}")
        left = self._left(run, record)
        if left:
            return Verdict(case.name, "leaked", f"{run}: {left}")
        if record and record.status is BakeStatus.SUCCEEDED:
            wrong = self._wrong(record)
            return Verdict(case.name, "lied" if wrong else "survived", f"{run}: {wrong}")
        if record:
            return self.ended(case, f"{run}: {record.error}: {record.cause}")
        # One that was never planned has no record: its execution says how it ended.
        said = f"{told['status']}: {told.get('error')}: {told.get('cause')}"
        return self.ended(case, f"{run}: {said}")

    def clear(self, run: str) -> None:
        # Hundreds of images are more than the memory of a laptop holds.
        for region in (self.kiln.settings.region, FAR):
            images = self.kiln.regions.at(region).images
            for image in images.of_bake(run):
                images.deregister(image.id)

    def _good(self, record: BakeRecord | None) -> dict[str, str]:
        """The image that a bake has recorded and its copies, by Region: these may stay."""
        image = self.kiln.records.image(record.image) if record and record.image else None
        if image is None:
            return {}
        places = {p.region: p.image for p in self.kiln.records.places(image.id) if p.image}
        return places | {image.region: image.id}

    def _left(self, run: str, record: BakeRecord | None) -> list[Any]:
        good = self._good(record)
        here = good.pop(self.kiln.settings.region, None)
        turn = self.kiln.turns.line().of(run)
        return [
            *self.aws.leaks(run, here, copies=good.values()),
            *([turn] if turn else []),
        ]

    def _wrong(self, record: BakeRecord) -> str:
        """What is not as a bake that succeeded says."""
        good, bake = self._good(record), record.plan.bake
        for region in (self.kiln.settings.region, FAR):
            there = {i.id for i in self.kiln.regions.at(region).images.of_bake(bake)}
            if there != {good.get(region)}:
                return f"SUCCEEDED with {good.get(region)} in {region}, where there is {there}"
        return ""


class SpoiledBakes(Bakes):
    """Bakes whose image does not pass its test: how their teardown goes wrong."""

    name = "bake-spoiled"
    fails = ("StepFailed", "VerificationFailed")
    changes = {"verify": {"steps": [{"name": "is there", "shell": "exit 3"}]}}


class LostCopies(Bakes):
    """Bakes whose copy fails in its Region."""

    name = "bake-uncopied"
    fails = ("DistributionFailed",)

    def prepare(self) -> None:
        self.aws.copies.fail(FAR)

    def clear(self, run: str) -> None:
        self.aws.copies.mend(FAR)
        super().clear(run)


class Distributions(Ground):
    """`kiln distribute` of one image, from which its copy in another Region was taken each time."""

    name = "distribute"
    machines = ("distribution",)

    def __init__(self, aws: LocalAws) -> None:
        super().__init__(aws)
        bakes = Bakes(aws)
        self._bake = bakes.begin()
        bakes.quiet(self._bake)
        record = self.kiln.records.bake(self._bake)
        if record is None or record.image is None:
            raise Unended(f"{self._bake} has made no image: {record}")
        self._image = record.image

    def prepare(self) -> None:
        images = self.kiln.regions.at(FAR).images
        for copy in images.of_bake(self._bake):
            images.deregister(copy.id)
        for snapshot in images.snapshots_of_bake(self._bake):
            images.delete_snapshot(snapshot)
        lost = self._place.lost + 1
        self.kiln.records.put_place(
            self._image, ImagePlace(region=FAR, status="failed", error="Lost", lost=lost)
        )

    def begin(self) -> str:
        run = f"{self._image}-{next(self.numbers)}"
        self.start("distribution", run, {"image": self._image})
        return run

    @property
    def _place(self) -> ImagePlace:
        places = {place.region: place for place in self.kiln.records.places(self._image)}
        return places[FAR]

    def clear(self, run: str) -> None:
        """Its copy is taken away before the next one."""

    def is_over(self, run: str) -> bool:
        return str(self.told("distribution", run)["status"]) != "RUNNING"

    def judge(self, case: Case, run: str) -> Verdict:
        told, place = self.told("distribution", run), self._place
        there = {i.id for i in self.kiln.regions.at(FAR).images.of_bake(self._bake)}
        left = self.aws.leaks(self._bake, self._image, copies=[place.image or ""])
        if left:
            return Verdict(case.name, "leaked", f"{run}: {left}")
        if told["status"] == "SUCCEEDED":
            good = place.ready and there == {place.image}
            why = f"{run} SUCCEEDED, {place} where there is {there}"
            return Verdict(case.name, "survived" if good else "lied", why)
        if place.status == "pending":
            return Verdict(case.name, "lied", f"{run} is {told['status']}, its place is pending")
        said = f"{told['status']}: {told.get('error')}: {told.get('cause')}; {place.error}: "
        return self.ended(case, f"{run}: {said}{place.cause}")
