"""What is asked of AWS about uses of images, and how the answers are read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest

from kiln.adapters.parameters import SsmPointers
from kiln.adapters.uses import AwsUses
from kiln.errors import AwsRefused
from tests.stubs import Script, scripted

MINE, OTHER = "ami-00000001", "ami-00000002"


@dataclass
class Aws:
    """What AWS answers, empty where a test says nothing. `named` are versions by template and
    number, which are asked for one by one."""

    ec2: Script
    autoscaling: Script
    ssm: Script
    instances: list[Any] = field(default_factory=list)
    groups: list[Any] = field(default_factory=list)
    refreshes: list[Any] = field(default_factory=list)
    configurations: list[Any] = field(default_factory=list)
    fleets: list[Any] = field(default_factory=list)
    spots: list[Any] = field(default_factory=list)
    followed: list[Any] = field(default_factory=list)
    pinned: list[Any] = field(default_factory=list)
    values: list[dict[str, str]] = field(default_factory=list)
    parameters: dict[str, str] = field(default_factory=dict)

    def found(self) -> set[str]:
        """The labels of all uses of MINE."""
        self._script()
        uses = AwsUses(
            self.ec2.client, lambda: self.autoscaling.client, SsmPointers(self.ssm.client)
        ).of([MINE])
        assert {use.image for use in uses} <= {MINE}
        return {use.label for use in uses}

    def _script(self) -> None:
        groups = {"AutoScalingGroups": [a_group(**group) for group in self.groups]}
        self.autoscaling.answer("describe_auto_scaling_groups", groups, {"MaxRecords": 100})
        for group in self.groups:
            request = {"AutoScalingGroupName": group["AutoScalingGroupName"]}
            answer = {"InstanceRefreshes": self.refreshes}
            self.autoscaling.answer("describe_instance_refreshes", answer, request)
        self.ec2.answer("describe_fleets", {"Fleets": self.fleets}, {"MaxResults": 100})
        spots = {"SpotFleetRequestConfigs": self.spots}
        self.ec2.answer("describe_spot_fleet_requests", spots, {"MaxResults": 1000})
        rows = {"LaunchConfigurations": self.configurations}
        self.autoscaling.answer("describe_launch_configurations", rows, {"MaxRecords": 100})
        wanted = {"Versions": ["$Latest", "$Default"], "MaxResults": 200}
        rows = {"LaunchTemplateVersions": self.followed}
        self.ec2.answer("describe_launch_template_versions", rows, wanted)
        for row in self.pinned:
            if row is None:
                code = "InvalidLaunchTemplateId.VersionNotFound"
                self.ec2.refuse("describe_launch_template_versions", code)
            else:
                request = {
                    "LaunchTemplateId": row["LaunchTemplateId"],
                    "Versions": [str(row["VersionNumber"])],
                }
                answer = {"LaunchTemplateVersions": [row]}
                self.ec2.answer("describe_launch_template_versions", answer, request)
        filters = [
            {"Name": "image-id", "Values": [MINE]},
            {
                "Name": "instance-state-name",
                "Values": ["pending", "running", "shutting-down", "stopping", "stopped"],
            },
        ]
        answer = {"Reservations": [{"Instances": self.instances}]}
        self.ec2.answer("describe_instances", answer, {"Filters": filters, "MaxResults": 1000})
        self._script_parameters()

    def _script_parameters(self) -> None:
        for found in self.values:
            rows = [{"Name": n.partition(":")[0], "Value": v} for n, v in found.items()]
            self.ssm.answer("get_parameters", {"Parameters": rows}, {"Names": sorted(found)})
        names = [{"Name": name, "DataType": "aws:ec2:image"} for name in self.parameters]
        request = {
            "ParameterFilters": [{"Key": "DataType", "Values": ["aws:ec2:image"]}],
            "MaxResults": 50,
        }
        self.ssm.answer("describe_parameters", {"Parameters": names}, request)
        if self.parameters:
            rows = [{"Name": n, "Value": v} for n, v in self.parameters.items()]
            names_only = {"Names": sorted(self.parameters)}
            self.ssm.answer("get_parameters", {"Parameters": rows}, names_only)


@pytest.fixture
def aws() -> Iterator[Aws]:
    with ExitStack() as stack:
        scripts = (stack.enter_context(scripted(n)) for n in ("ec2", "autoscaling", "ssm"))
        yield Aws(*scripts)


def a_group(**group: Any) -> dict[str, Any]:
    needed = {
        "MinSize": 0,
        "MaxSize": 1,
        "DesiredCapacity": 0,
        "DefaultCooldown": 0,
        "AvailabilityZones": [],
        "HealthCheckType": "EC2",
        "CreatedTime": 0,
    }
    return needed | group


def a_version(image: str, number: int = 1, *, default: bool = False, name: str = "web") -> Any:
    return {
        "LaunchTemplateId": f"lt-{name}",
        "LaunchTemplateName": name,
        "VersionNumber": number,
        "DefaultVersion": default,
        "LaunchTemplateData": {"ImageId": image},
    }


def use(version: str | None = None, name: str = "web") -> dict[str, str]:
    return {"LaunchTemplateId": f"lt-{name}"} | ({"Version": version} if version else {})


def test_an_instance_is_told_with_its_state_and_its_layer(aws: Aws) -> None:
    tags = [{"Key": "kiln:layer", "Value": "shop/web"}, {"Key": "Name", "Value": "web1"}]
    row = {"InstanceId": "i-1", "ImageId": MINE, "State": {"Name": "stopped"}, "Tags": tags}
    aws.instances = [row]
    assert aws.found() == {"instance i-1 (stopped) web1 of shop/web"}


def test_the_default_and_the_latest_version_of_a_template_count_and_the_others_do_not(
    aws: Aws,
) -> None:
    aws.followed = [a_version(MINE, 2, default=True), a_version(MINE, 9)]
    assert aws.found() == {
        "launch template lt-web (default version 2)",
        "launch template lt-web (latest version 9)",
    }


def test_a_version_that_a_group_names_counts_by_its_number_or_its_word(aws: Aws) -> None:
    aws.followed = [a_version(MINE, 2, default=True), a_version(OTHER, 9)]
    aws.groups = [
        {"AutoScalingGroupName": "numbered", "LaunchTemplate": use("4")},
        {"AutoScalingGroupName": "plain", "LaunchTemplate": use()},
        {"AutoScalingGroupName": "newest", "LaunchTemplate": use("$Latest")},
        {"AutoScalingGroupName": "stale", "LaunchTemplate": use("7")},
    ]
    aws.pinned = [a_version(MINE, 4), None]
    assert aws.found() == {
        "autoscaling group numbered (lt-web version 4)",
        "autoscaling group plain (lt-web version 2)",
        "launch template lt-web (default version 2)",
    }


def test_a_mixed_policy_counts_with_its_overrides(aws: Aws) -> None:
    overrides = [
        {"InstanceType": "m7i.large"},
        {"InstanceType": "m7a.large", "LaunchTemplateSpecification": use("2", "arm")},
        {"InstanceType": "m6i.large", "ImageId": MINE},
    ]
    policy = {"LaunchTemplateSpecification": use("3"), "Overrides": overrides}
    aws.groups = [
        {"AutoScalingGroupName": "mixed", "MixedInstancesPolicy": {"LaunchTemplate": policy}}
    ]
    aws.pinned = [a_version(MINE, 2, name="arm"), a_version(MINE, 3)]
    assert aws.found() == {
        "autoscaling group mixed (lt-arm version 2)",
        "autoscaling group mixed (lt-web version 3)",
        "autoscaling group mixed (an override)",
    }


def test_what_a_refresh_leads_to_counts_while_it_goes_on(aws: Aws) -> None:
    aws.groups = [{"AutoScalingGroupName": "web"}]
    aws.refreshes = [
        {"Status": "InProgress", "DesiredConfiguration": {"LaunchTemplate": use("5")}},
        {"Status": "Successful", "DesiredConfiguration": {"LaunchTemplate": use("4")}},
    ]
    aws.pinned = [a_version(MINE, 5)]
    assert aws.found() == {"autoscaling group web (lt-web version 5)"}


def test_a_launch_configuration_counts_whoever_uses_it(aws: Aws) -> None:
    row = {"LaunchConfigurationName": "old", "ImageId": MINE, "InstanceType": "m7i.large"}
    aws.configurations = [row | {"CreatedTime": 0}]
    assert aws.found() == {"launch configuration old"}


def test_fleets_that_still_launch_count_with_their_versions_and_overrides(aws: Aws) -> None:
    config = {"LaunchTemplateSpecification": use("2"), "Overrides": [{"ImageId": MINE}]}
    aws.fleets = [
        {"FleetId": "fleet-1", "FleetState": "active", "LaunchTemplateConfigs": [config]},
        {"FleetId": "fleet-2", "FleetState": "deleted", "LaunchTemplateConfigs": [config]},
    ]
    spot = {
        "SpotFleetRequestId": "sfr-1",
        "SpotFleetRequestState": "active",
        "SpotFleetRequestConfig": {
            "IamFleetRole": "role",
            "TargetCapacity": 1,
            "LaunchSpecifications": [{"ImageId": MINE}],
            "LaunchTemplateConfigs": [{"LaunchTemplateSpecification": use("3")}],
        },
    }
    aws.spots = [spot, spot | {"SpotFleetRequestId": "sfr-2", "SpotFleetRequestState": "failed"}]
    aws.pinned = [a_version(MINE, 2), a_version(MINE, 3)]
    assert aws.found() == {
        "fleet fleet-1 (lt-web version 2)",
        "fleet fleet-1 (an override)",
        "fleet sfr-1",
        "fleet sfr-1 (lt-web version 3)",
    }


def test_a_parameter_of_images_counts_and_one_of_text_where_a_template_names_it(aws: Aws) -> None:
    aws.followed = [
        a_version("resolve:ssm:/plain", 1, default=True),
        a_version("resolve:ssm:/plain:3", 2, name="old"),
        a_version("resolve:ssm:/aws/service/al2023", 1, name="public"),
    ]
    aws.values = [{"/plain": OTHER}, {"/plain:3": MINE}]
    aws.parameters = {"/images/web": MINE, "/images/shop": OTHER}
    assert aws.found() == {
        "launch template lt-old (latest version 2, by parameter /plain:3)",
        "parameter /images/web",
    }


def test_a_refusal_is_no_answer(aws: Aws) -> None:
    """Who may not look does not know that nothing is there."""
    aws.autoscaling.refuse("describe_auto_scaling_groups", "AccessDenied")
    with pytest.raises(AwsRefused):
        AwsUses(aws.ec2.client, lambda: aws.autoscaling.client, SsmPointers(aws.ssm.client)).of(
            [MINE]
        )


def test_nothing_is_asked_where_nothing_is_wanted(aws: Aws) -> None:
    uses = AwsUses(aws.ec2.client, lambda: aws.autoscaling.client, SsmPointers(aws.ssm.client))
    assert uses.of([]) == ()
