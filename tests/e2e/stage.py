"""What stands on the stage where seldom things are done: made by a client outside, anew where a
call takes it away."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from typing import Any

from kiln.domain.hooks import LifecycleAction
from kiln.domain.instance import LayerInstance
from kiln.ports import World
from kiln.wiring import world
from kiln_local.world import LocalAws
from tests.integration.local.worlds import World as Outside

TAGS = [{"Key": "kiln:managed", "Value": "true"}]
# Another account.
FRIEND = "210987654321"
# An id of something that is not there.
NOBODY = "00000000-0000-0000-0000-000000000000"
GROUP_ROLE = "arn:aws:iam::123456789012:role/groups"
# Every parameter of the template on which a statement hangs.
PARAMETERS = {
    "DistributionRole": "kiln-distribution",
    "GroupRole": GROUP_ROLE,
    "ScriptBuckets": "scripts",
    "ExtraDocuments": "A*",
}


@dataclass
class Stage:
    """What is on the stage: made by a client outside, anew where a call takes it away."""

    aws: LocalAws
    group: str
    outside: Outside = field(init=False)
    _numbers: Any = field(default_factory=count)

    def __post_init__(self) -> None:
        self.outside = Outside(self.aws)

    @property
    def kiln(self) -> World:
        """What Kiln's own functions see."""
        return world()

    # ------------------------------------------------------------ resources

    def instance(self) -> str:
        """An instance of Kiln's."""
        tags = [{"ResourceType": "instance", "Tags": TAGS}]
        return self.outside.launch(TagSpecifications=tags)

    @cached_property
    def kept(self) -> str:
        """An instance of Kiln's that stays."""
        return self.instance()

    def image(self) -> str:
        """An image of Kiln's with its snapshot."""
        tags = [{"ResourceType": kind, "Tags": TAGS} for kind in ("image", "snapshot")]
        name = f"seldom-{next(self._numbers)}"
        made = self.outside.ec2.create_image(
            InstanceId=self._source, Name=name, TagSpecifications=tags
        )
        return str(made["ImageId"])

    @cached_property
    def _source(self) -> str:
        return self.outside.an_instance()

    def snapshot(self) -> str:
        """A snapshot of Kiln's."""
        found = self.outside.ec2.describe_images(ImageIds=[self.image()])["Images"][0]
        return str(found["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"])

    def volume(self) -> str:
        """A volume of Kiln's."""
        made = self.outside.ec2.create_volume(
            AvailabilityZone=f"{self.aws.region}a",
            Size=1,
            TagSpecifications=[{"ResourceType": "volume", "Tags": TAGS}],
        )
        return str(made["VolumeId"])

    def interface(self) -> str:
        """A network interface of Kiln's."""
        made = self.outside.ec2.create_network_interface(
            SubnetId=self.outside.subnets[0]["SubnetId"],
            TagSpecifications=[{"ResourceType": "network-interface", "Tags": TAGS}],
        )
        return str(made["NetworkInterface"]["NetworkInterfaceId"])

    @cached_property
    def template(self) -> str:
        """A launch template with a role, tags, and images by parameters of the account and
        AWS's."""
        self._make_role()
        self.outside.ssm.put_parameter(
            Name="/images/own", Value=self.outside.base, Type="String", Overwrite=True
        )
        data: dict[str, Any] = {
            "ImageId": "resolve:ssm:/images/own",
            "InstanceType": "m7i.large",
            "IamInstanceProfile": {"Name": "groups"},
            "TagSpecifications": [{"ResourceType": "instance", "Tags": TAGS}],
        }
        ec2 = self.outside.ec2
        made = ec2.create_launch_template(
            LaunchTemplateName="seldom",
            LaunchTemplateData=data,
            TagSpecifications=[{"ResourceType": "launch-template", "Tags": TAGS}],
        )["LaunchTemplate"]
        public = "resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
        ec2.create_launch_template_version(
            LaunchTemplateId=made["LaunchTemplateId"], LaunchTemplateData=data | {"ImageId": public}
        )
        return str(made["LaunchTemplateId"])

    def _make_role(self) -> None:
        iam = self.outside.client("iam")
        iam.create_role(RoleName="groups", AssumeRolePolicyDocument="{}")
        iam.create_instance_profile(InstanceProfileName="groups")
        iam.add_role_to_instance_profile(InstanceProfileName="groups", RoleName="groups")

    @cached_property
    def launching(self) -> dict[str, Any]:
        """What a group is to launch."""
        return {"LaunchTemplate": {"LaunchTemplateId": self.template, "Version": "1"}}

    @cached_property
    def targets(self) -> str:
        """A target group."""
        arn = self.outside.a_target_group("seldom")
        self.outside.elb.add_tags(ResourceArns=[arn], Tags=TAGS)
        return arn

    @cached_property
    def script(self) -> str:
        """A version of a script in Kiln's bucket and in the user's own, the same in both."""
        s3 = self.outside.client("s3")
        where = {"LocationConstraint": self.aws.region}
        s3.create_bucket(Bucket="scripts", CreateBucketConfiguration=where)
        for bucket in ("scripts", self.aws.outputs["BucketName"]):
            s3.put_object(Bucket=bucket, Key="run.sh", Body=b"true")
        return "run.sh"

    @property
    def entry(self) -> LayerInstance:
        """A record of an instance that is not there."""
        return self.kiln.records.instances("shop")[0].model_copy(update={"id": "seldom"})

    @property
    def action(self) -> LifecycleAction:
        """What a group's hook waits for."""
        hook = f"{self.kiln.settings.deployment}-launch"
        return LifecycleAction(group=self.group, hook=hook, token=NOBODY, instance=self.kept)
