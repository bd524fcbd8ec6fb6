"""A local AWS with stacks in it whose layers take images: what the tests of layers share.

Images are made by EC2's own CreateImage, not baked: a layer asks of an image only that it is there.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kiln.domain.instance import LayerInstance
from kiln.domain.rollout import Rollout, RolloutStatus
from kiln.domain.stack import stack_from
from kiln.ports import World as Kiln
from kiln.wiring import world
from kiln_local.world import LocalAws
from tests.integration.local.worlds import World, until

# What a recipe finds out and keeps: its event, and the attributes that it was given.
NOTE = """
mkdir -p /srv/kiln
echo "$KILN_EVENT $KILN_LAYER" >>/srv/kiln/ran
cp "$KILN_ATTRIBUTES" "/srv/kiln/$KILN_EVENT.json"
"""


@dataclass
class Layers:
    """Stacks in a local AWS, and the events that Kiln announces on its bus."""

    aws: LocalAws
    outside: World = field(init=False)
    _told: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.outside = World(self.aws)
        self._queue, arn = self.outside.a_queue("told")
        bus = self.aws.outputs["BusName"]
        events = self.outside.client("events")
        pattern = json.dumps({"source": ["kiln"]})
        events.put_rule(Name="told", EventBusName=bus, EventPattern=pattern)
        targets = [{"Id": "told", "Arn": arn}]
        events.put_targets(Rule="told", EventBusName=bus, Targets=targets)

    @property
    def sqs(self) -> Any:
        """SQS."""
        return self.outside.client("sqs")

    @property
    def kiln(self) -> Kiln:
        """What Kiln's own functions see."""
        return world()

    # ------------------------------------------------------------ what there is

    def apply(self, **stack: Any) -> None:
        """Store a stack called shop."""
        self.kiln.records.put_stack(stack_from({"kind": "stack", "name": "shop"} | stack))

    def image(self, source: str | None = None, mark: str = "") -> str:
        """A new image of a fresh instance on which a file `/srv/MARK` was made, while the instance
        is gone again."""
        builder = self.outside.launch(**({"ImageId": source} if source else {}))
        until(lambda: self.outside.ping(builder) == "Online")
        (self.aws.room.root(builder) / "srv").mkdir(exist_ok=True)
        if mark:
            (self.aws.room.root(builder) / "srv" / mark).touch()
        ec2 = self.outside.ec2
        image = ec2.create_image(InstanceId=builder, Name=f"image-{self.aws.clock.seconds()}")
        name = str(image["ImageId"])
        until(lambda: ec2.describe_images(ImageIds=[name])["Images"][0]["State"] == "available")
        ec2.terminate_instances(InstanceIds=[builder])
        return name

    def members(self, layer: str) -> tuple[LayerInstance, ...]:
        """The instances of a layer of the stack."""
        found = self.kiln.records.instances("shop")
        return tuple(sorted((i for i in found if i.layer == layer), key=lambda i: i.hostname))

    def running(self) -> set[str]:
        """EC2 instances that belong to the stack and are neither stopped nor gone."""
        wanted = [
            {"Name": "tag:kiln:stack", "Values": ["shop"]},
            {"Name": "instance-state-name", "Values": ["pending", "running", "stopping"]},
        ]
        pages = self.outside.ec2.describe_instances(Filters=wanted)["Reservations"]
        return {i["InstanceId"] for page in pages for i in page["Instances"]}

    def file(self, entry: LayerInstance, name: str) -> str:
        """What a recipe has left in a file of `/srv/kiln`; empty where it has not."""
        path: Path = self.aws.room.root(entry.ec2_id or "") / "srv/kiln" / name
        return path.read_text() if path.exists() else ""

    def json(self, entry: LayerInstance, event: str) -> Any:
        """The attributes that the last recipe of an event was given."""
        return json.loads(self.file(entry, f"{event}.json"))

    # ------------------------------------------------------------ what happens

    def announce(
        self, image: str, layers: dict[str, str], times: int = 1, blueprint: str = "shop"
    ) -> None:
        """Deliver `Image Available` for layers of the stack, each with its strategy."""
        detail = {
            "bake": f"shop-20260101-000000-{image[-4:]}",
            "blueprint": blueprint,
            "images": {self.aws.region: image},
            "platform": "amazon-linux-2023",
            "architecture": "x86_64",
            "layers": [{"layer": f"shop/{k}", "strategy": v} for k, v in layers.items()],
        }
        entry = {
            "Source": "kiln",
            "DetailType": "Image Available",
            "EventBusName": self.aws.outputs["BusName"],
            "Detail": json.dumps(detail),
        }
        for _ in range(times):
            self.outside.client("events").put_events(Entries=[entry])

    def rollout(self, image: str, layer: str, seconds: float = 90) -> Rollout:
        """Wait for a rollout's end."""

        def ended() -> Rollout | None:
            found = self.kiln.records.rollout(image, f"shop/{layer}")
            return found if found and found.status is not RolloutStatus.RUNNING else None

        found: Rollout = until(ended, seconds, pause=0.2)
        return found

    def told(self, detail_type: str) -> list[dict[str, Any]]:
        """The details of what Kiln has announced so far, in the order of the bus."""
        while found := self.sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10).get(
            "Messages"
        ):
            for message in found:
                self._told.append(json.loads(message["Body"]))
                self.sqs.delete_message(
                    QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"]
                )
        told = [event for event in self._told if event["detail-type"] == detail_type]
        return [event["detail"] for event in told]

    def quiet(self, seconds: float = 90) -> None:
        """Wait until no execution of Kiln's runs."""
        client = self.outside.client("stepfunctions")
        machines = [v for k, v in self.aws.outputs.items() if k.endswith("StateMachineArn")]

        def over() -> bool:
            return not any(
                client.list_executions(stateMachineArn=arn, statusFilter="RUNNING")["executions"]
                for arn in machines
            )

        until(over, seconds, pause=0.2)

    def on(self, watch: Callable[[Any, str], None]) -> None:
        """Be told of each state of each EC2 instance."""
        self.aws.ec2.watchers.append(watch)


def soon(action: Callable[[], bool]) -> None:
    """Do something again and again until it was done."""
    until(action, pause=0.02)
