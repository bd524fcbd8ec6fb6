"""Old images in a local AWS, what uses them, and the function that takes them out of use.

An image is put into EC2's books as it would be after months: to bake it, or to copy it, would take
nothing away from what is tested here, and add minutes.
"""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from moto.autoscaling.models import autoscaling_backends
from moto.dynamodb.models import dynamodb_backends
from moto.ec2.models import ec2_backends
from moto.ssm.models import ssm_backends

from kiln.domain.bake import BakeStatus, ImageRecord
from kiln.domain.naming import bake_tags
from kiln.domain.place import ImagePlace
from kiln.ports import World as Kiln
from kiln.wiring import world
from kiln_local.images import LocalImage
from kiln_local.world import LocalAws
from tests.builders import a_document, a_plan, a_record, an_image, keep_version
from tests.integration.local.worlds import World

HOME, FAR = "eu-west-1", "us-east-1"
BASE = "ami-0000000000000ba5e"
TYPE = "m7i.large"
FRIEND = "210987654321"


@dataclass
class Shelves:
    """The images of blueprints in a local AWS, by their ages."""

    aws: LocalAws
    outside: World = field(init=False)
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict)
    _numbers: Any = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self.outside = World(self.aws)

    @property
    def kiln(self) -> Kiln:
        """What Kiln's own functions see."""
        return world()

    def client(self, service: str, region: str = HOME) -> Any:
        """A client outside, made once."""
        if (service, region) not in self._clients:
            made: Any = self.aws.session().client
            self._clients[service, region] = made(service, region_name=region)
        return self._clients[service, region]

    def ec2(self, region: str = HOME) -> Any:
        """EC2."""
        return self.client("ec2", region)

    # ------------------------------------------------------------ images

    def blueprint(self, name: str, lifecycle: dict[str, Any]) -> None:
        """Store a blueprint with these rules."""
        keep_version(a_document(name=name, lifecycle=lifecycle), self.kiln)

    def image(self, blueprint: str, days: float, *regions: str, **record: Any) -> str:
        """An image of that age at home and in other Regions; its id at home."""
        created = self.aws.clock.now() - timedelta(days=days)
        bake = f"{blueprint}-{created:%Y%m%d-%H%M%S}-{next(self._numbers):04x}"
        plan = a_plan(a_document(name=blueprint), bake=bake, started=created)
        ids = {region: self.put(region, bake, created) for region in (HOME, *regions)}
        values: dict[str, Any] = {
            "id": ids[HOME],
            "name": bake,
            "bake": bake,
            "blueprint": blueprint,
            "version": 1,
            "platform": "amazon-linux-2023",
            "architecture": "x86_64",
            "root_device": "ebs",
            "base": BASE,
            "region": HOME,
            "created": created,
        }
        ended = a_record(plan, status=BakeStatus.SUCCEEDED, image=ids[HOME])
        self.kiln.records.add_bake(ended)
        self.kiln.records.put_image(ImageRecord(**(values | record)))
        for region, here in ids.items():
            place = ImagePlace(region=region, image=here, status="available")
            self.kiln.records.put_place(ids[HOME], place)
        return ids[HOME]

    def put(self, region: str, bake: str, created: datetime, *, tagged: bool = True) -> str:
        """An image with a root and a volume beside it in EC2's books; its id."""
        backend = ec2_backends[self.aws.account][region]
        number = next(self._numbers)
        image = LocalImage(
            backend,
            f"ami-{number:017x}",
            name=f"{bake}-{number}",
            description="",
            virtualization_type="hvm",
            architecture="x86_64",
            root_device_type="ebs",
            root_device_name="/dev/xvda",
            creation_date=created,
        )
        image.boot_mode = "uefi-preferred"
        volume = backend.create_volume(size=5, zone_name=f"{region}a")
        beside = backend.create_snapshot(volume.id, f"beside {image.id}")
        backend.delete_volume(volume.id)
        image.beside = (("/dev/sdf", beside),)
        if tagged:
            for resource in (image, image.ebs_snapshot, beside):
                resource.add_tags(bake_tags(bake, "image"))
        image.ebs_snapshot.volume.size = image.root_size
        backend.amis[image.id] = image
        return str(image.id)

    def book(self, here: str, region: str = HOME) -> Any:
        """An image as it stands in EC2's books."""
        return ec2_backends[self.aws.account][region].amis[here]

    def here(self, image: str, region: str) -> str:
        """An image's id in a Region."""
        places = self.kiln.records.places(image)
        return next(p.image or "" for p in places if p.region == region)

    def state(self, image: str, region: str = HOME) -> str:
        """EC2's word for it, by its id at home."""
        return self.state_of(self.here(image, region), region)

    def state_of(self, here: str, region: str = HOME) -> str:
        """EC2's word for an image by its id there."""
        found = ec2_backends[self.aws.account][region].amis.get(here)
        return str(found.state) if found else "gone"

    def snapshots(self, region: str = HOME) -> dict[str, str]:
        """Snapshots that carry Kiln's tag, with the bake."""
        rows = self.ec2(region).describe_snapshots(
            OwnerIds=["self"], Filters=[{"Name": "tag:kiln:managed", "Values": ["true"]}]
        )["Snapshots"]
        tags = {row["SnapshotId"]: {t["Key"]: t["Value"] for t in row["Tags"]} for row in rows}
        return {name: found["kiln:bake"] for name, found in tags.items()}

    # ------------------------------------------------------------ what uses them

    def template(self, name: str, *images: str, region: str = HOME) -> str:
        """A launch template with a version for each image; its id."""
        ec2 = self.ec2(region)
        data = [{"ImageId": image, "InstanceType": TYPE} for image in images]
        made = ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData=data[0])
        template = str(made["LaunchTemplate"]["LaunchTemplateId"])
        for more in data[1:]:
            ec2.create_launch_template_version(LaunchTemplateId=template, LaunchTemplateData=more)
        return template

    def group(self, name: str, region: str = HOME, **launch: Any) -> None:
        """An Auto Scaling group without instances."""
        self.client("autoscaling", region).create_auto_scaling_group(
            AutoScalingGroupName=name,
            MinSize=0,
            MaxSize=1,
            DesiredCapacity=0,
            AvailabilityZones=[f"{region}a"],
            **launch,
        )

    def launch(self, here: str, region: str = HOME) -> str:
        """An instance."""
        run = self.ec2(region).run_instances(
            ImageId=here, InstanceType=TYPE, MinCount=1, MaxCount=1
        )
        return str(run["Instances"][0]["InstanceId"])

    def running_bake(self, base: str) -> None:
        """A bake that is under way, based on an image."""
        now = self.aws.clock.now()
        bake = f"child-{now:%Y%m%d-%H%M%S}-{next(self._numbers):04x}"
        plan = a_plan(a_document(name="child"), bake=bake, base=an_image(id=base), started=now)
        self.kiln.records.add_bake(a_record(plan))

    # ------------------------------------------------------------ what happens

    def prune(self, **asked: Any) -> dict[str, Any]:
        """Invoke the function."""
        answer = self.client("lambda").invoke(
            FunctionName=self.aws.outputs["PruneImagesFunctionName"],
            Payload=json.dumps(asked).encode(),
        )
        body: dict[str, Any] = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, body
        return body

    def forget(self) -> None:
        """Take everything away that was made here, from the books themselves."""
        for region, backend in list(ec2_backends[self.aws.account].items()):
            for name, image in list(backend.amis.items()):
                if image.owner_id == self.aws.account:
                    del backend.amis[name]
            for name, snapshot in list(backend.snapshots.items()):
                if snapshot.owner_id == self.aws.account:
                    del backend.snapshots[name]
            for books in (backend.reservations, backend.launch_templates):
                books.clear()
            backend.launch_template_name_to_ids.clear()
            autoscaling_backends[self.aws.account][region].autoscaling_groups.clear()
            autoscaling_backends[self.aws.account][region].launch_configurations.clear()
            parameters = ssm_backends[self.aws.account][region]._parameters
            for name in [name for name in parameters if not name.startswith("/aws/")]:
                del parameters[name]
        table = self.aws.outputs["TableName"]
        dynamodb_backends[self.aws.account][self.aws.region].tables[table].items.clear()
