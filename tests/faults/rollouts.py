"""Rollouts to a layer with two instances in service, one after another."""

from __future__ import annotations

import json
from typing import Any

from kiln.domain.instance import InstanceState, LayerInstance
from kiln.domain.rollout import Rollout, RolloutStatus
from kiln.domain.stack import stack_from
from kiln_local.world import LocalAws
from tests.faults.cases import Case
from tests.faults.ground import Ground, Unended, Verdict
from tests.faults.service import Service
from tests.integration.local.worlds import World as Outside

SIZE = 2
PLATFORM = "amazon-linux-2023"
# A Setup that fails on an image with a mark.
RECIPES = {
    "setup": ["if [ -e /srv/spoiled ]; then echo spoiled >&2; exit 9; fi"],
    "deploy": ["true"],
    "configure": ["true"],
    "shutdown": ["true"],
}
_THERE = ["pending", "running", "stopping", "stopped"]


class Rollouts(Ground):
    """A layer of kind `instances` that takes one image after another."""

    name = "replace"
    machines = ("rollout", "instance", "configure")
    spoiled = False

    def __init__(self, aws: LocalAws) -> None:
        super().__init__(aws)
        self.outside = Outside(aws)
        self.service = self._service()
        self._builder = self.outside.an_instance()
        self._image = ""
        self._before: set[str] = set()
        self._layer = ""

    def _service(self) -> Service:
        return Service(self.aws, self.stack)

    @property
    def stack(self) -> str:
        """Its own: what another ground of the same local AWS keeps is not to be counted here."""
        return self.name

    @property
    def layer(self) -> str:
        """The layer's whole name."""
        return f"{self.stack}/{self._layer}"

    # ------------------------------------------------------------ the ground

    def renew(self) -> None:
        """A layer that nobody has touched, with its first image in service."""
        self._layer = f"{self.name}{next(self.numbers)}"
        self._lay()
        self._image = self.image()
        self.announce(self._image)
        self.quiet("")
        rollout = self.rollout()
        serving = self.service.begin(self._layer)
        if rollout is None or serving != SIZE:
            raise Unended(f"{self.layer} has not got its first image: {rollout}, {serving} serve")

    def _lay(self) -> None:
        for entry in self.kiln.records.instances(self.stack):
            self.kiln.records.remove_instance(entry)
        self.kiln.fleet.terminate(self.machines_there())
        group = self.outside.a_target_group(self._layer)
        layer = {
            "name": self._layer,
            "kind": "instances",
            "platform": PLATFORM,
            "instance_type": "m7i.large",
            "count": SIZE,
            "recipes": RECIPES,
            "target_groups": [group],
        }
        self._apply(layer)

    def _apply(self, layer: dict[str, Any]) -> None:
        given = {"kind": "stack", "name": self.stack, "layers": [layer]}
        self.kiln.records.put_stack(stack_from(given))

    def image(self, spoiled: bool = False) -> str:
        """A new image of the machine that is kept for it."""
        folder = self.aws.room.root(self._builder) / "srv"
        folder.mkdir(exist_ok=True)
        mark = folder / "spoiled"
        mark.touch() if spoiled else mark.unlink(missing_ok=True)
        name = f"image-{next(self.numbers)}"
        made = self.outside.ec2.create_image(InstanceId=self._builder, Name=name)["ImageId"]
        while self.kiln.images.describe(made).state != "available":  # type: ignore[union-attr]
            self.aws.clock.sleep(5)
        return str(made)

    def announce(self, image: str) -> None:
        """Say on Kiln's bus that there is an image for the layer."""
        detail = {
            "bake": f"shop-20260101-000000-{image[-4:]}",
            "blueprint": "shop",
            "images": {self.aws.region: image},
            "platform": PLATFORM,
            "architecture": "x86_64",
            "layers": [{"layer": self.layer, "strategy": "replace"}],
        }
        entry = {"Source": "kiln", "DetailType": "Image Available", "Detail": json.dumps(detail)}
        bus = {"EventBusName": self.aws.outputs["BusName"]}
        self.outside.client("events").put_events(Entries=[entry | bus])

    # ------------------------------------------------------------ a run

    def prepare(self) -> None:
        if not self._layer or self.flaws():
            self.renew()
        self._before = {entry.image for entry in self.entries()}
        # What the last run has left behind of images is taken away here: one of them may serve.
        self._forget_images()
        self._image = self.image(self.spoiled)
        self.service.begin(self._layer)

    def begin(self) -> str:
        self.announce(self._image)
        return self._image

    def clear(self, run: str) -> None:
        """Its image may serve: it goes before the next run, unless it does."""

    def _forget_images(self) -> None:
        for image in self.outside.ec2.describe_images(Owners=["self"])["Images"]:
            if image["Name"].startswith("image-") and image["ImageId"] not in self._before:
                self.kiln.images.deregister(image["ImageId"])

    def is_over(self, run: str) -> bool:
        found = self.rollout()
        ended = found is not None and found.status is not RolloutStatus.RUNNING
        return ended and self.service.count() >= SIZE

    def rollout(self) -> Rollout | None:
        """The rollout's record."""
        return self.kiln.records.rollout(self._image, self.layer)

    def entries(self) -> list[LayerInstance]:
        """The instances of the layer."""
        return [e for e in self.kiln.records.instances(self.stack) if e.layer == self._layer]

    def machines_there(self) -> list[str]:
        """EC2 instances of the stack that are not gone."""
        filters = [
            {"Name": "tag:kiln:stack", "Values": [self.stack]},
            {"Name": "instance-state-name", "Values": _THERE},
        ]
        pages = self.outside.ec2.describe_instances(Filters=filters)["Reservations"]
        return [i["InstanceId"] for page in pages for i in page["Instances"]]

    # ------------------------------------------------------------ the judge

    def judge(self, case: Case, run: str) -> Verdict:
        found = self.rollout()
        if found is None:
            return self._unborn(case)
        said = f"{found.id}: {found.error}: {found.cause}"
        if found.status is RolloutStatus.RUNNING:
            status = self.told("rollout", found.id)["status"]
            return Verdict(case.name, "lied", f"{found.id} is {status}, its record RUNNING")
        honest = "is not as it was" in (found.cause or "")
        # What goes on being refused, or is gone for good, cannot be put right, only told.
        flaws = [] if honest and case.kind in ("denied", "terminated") else self.flaws()
        if flaws:
            return Verdict(case.name, "leaked", f"{said}; {flaws}")
        if self.service.fewest < SIZE and case.kind != "terminated":
            return Verdict(case.name, "leaked", f"{said}; {self.service.fewest} were in service")
        images = {entry.image for entry in self.entries()}
        if found.status is RolloutStatus.SUCCEEDED:
            whole = images == {run}
            return Verdict(case.name, "survived" if whole else "lied", f"{said}; {images}")
        if not honest and not images <= self._before:
            return Verdict(case.name, "lied", f"{said}; {images} serve")
        verdict = self.ended(case, said)
        return verdict if verdict.outcome != "failed" else self._next(verdict, said)

    def _unborn(self, case: Case) -> Verdict:
        """A rollout that has never begun: a dead letter has to say why."""
        letters = self._letters()
        if self.flaws():
            return Verdict(case.name, "leaked", f"no rollout; {self.flaws()}")
        return self.ended(case, f"no rollout of {self._image}; dead letters: {letters}")

    def _letters(self) -> list[str]:
        sqs, url = self.outside.client("sqs"), self.aws.outputs["DeadLettersUrl"]
        found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        for message in found:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return [message["Body"] for message in found]

    def _next(self, verdict: Verdict, said: str) -> Verdict:
        """After a failure the next rollout has to find the layer free and whole."""
        if self.spoiled or "is not as it was" in said:
            return verdict
        self.prepare()
        self.begin()
        self.quiet("")
        found = self.rollout()
        if found is None or found.status is not RolloutStatus.SUCCEEDED:
            return Verdict(verdict.case, "leaked", f"{said}; the next rollout: {found}")
        return verdict

    def flaws(self) -> list[str]:
        """What is not as in a layer that is left alone."""
        entries = self.entries()
        serve = [e for e in entries if e.state is InstanceState.ONLINE]
        known = {entry.ec2_id for entry in entries}
        return [
            *([f"{len(serve)} are online"] if len(serve) != SIZE else []),
            *(f"{e.hostname} is {e.state}: {e.error}" for e in entries if e not in serve),
            *(f"{name} is nobody's" for name in self.machines_there() if name not in known),
            *self.holds(),
        ]

    def holds(self) -> list[str]:
        """What is still held by whoever has ended."""
        holder, rounds = (
            self.kiln.records.layer_holder(self.layer),
            self.kiln.rounds.holder(self.stack),
        )
        return [
            *(f"{e.hostname} is held by {e.change}" for e in self.entries() if e.change),
            *([f"{holder} holds the layer"] if holder else []),
            *([f"{rounds} holds the rounds"] if rounds else []),
        ]


class SpoiledRollouts(Rollouts):
    """Rollouts of an image whose instances cannot be set up: how the way back goes wrong."""

    name = "replace-spoiled"
    spoiled = True
    fails = ("exited 9",)
