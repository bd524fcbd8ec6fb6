"""What is asked of EC2 in other Regions and accounts, word for word, and how answers are read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from kiln.adapters.distribution import AwsRegions, Ec2Outlet
from kiln.domain.distribution import FastLaunch, TemplateTarget
from kiln.errors import AwsBusy, AwsRefused
from kiln.ports import CopyOrder, Sharing
from tests.stubs import Script, scripted

ORDER = CopyOrder("ami-1", "eu-west-1", "web-1", "Shop", {"kiln:bake": "b"}, "token", "alias/far")
TAGS = [{"Key": "kiln:bake", "Value": "b"}]
ORGANIZATION = "arn:aws:organizations::123456789012:organization/o-exampleorg"
TEMPLATE = TemplateTarget(name="web")


@pytest.fixture
def ec2() -> Iterator[Script]:
    with scripted("ec2") as script:
        yield script


@pytest.fixture
def outlet(ec2: Script) -> Ec2Outlet:
    return Ec2Outlet(ec2.client)


def test_a_copy_is_tagged_encrypted_and_repeatable_in_one_call(
    ec2: Script, outlet: Ec2Outlet
) -> None:
    request: dict[str, Any] = {
        "SourceImageId": "ami-1",
        "SourceRegion": "eu-west-1",
        "Name": "web-1",
        "Description": "Shop",
        "ClientToken": "token",
        "Encrypted": True,
        "KmsKeyId": "alias/far",
        "TagSpecifications": [
            {"ResourceType": "image", "Tags": TAGS},
            {"ResourceType": "snapshot", "Tags": TAGS},
        ],
    }
    ec2.answer("copy_image", {"ImageId": "ami-2"}, request)
    assert outlet.copy(ORDER) == "ami-2"
    del request["KmsKeyId"]
    ec2.answer("copy_image", {"ImageId": "ami-2"}, request)
    assert outlet.copy(replace(ORDER, kms_key=None)) == "ami-2"


def test_too_many_copies_at_a_time_are_a_matter_of_waiting(ec2: Script, outlet: Ec2Outlet) -> None:
    ec2.refuse("copy_image", "ResourceLimitExceeded")
    with pytest.raises(AwsBusy, match="other copies are in progress"):
        outlet.copy(ORDER)
    ec2.refuse("copy_image", "InvalidRequest")
    with pytest.raises(AwsRefused, match="InvalidRequest"):
        outlet.copy(ORDER)


def test_an_image_is_shared_in_one_call(ec2: Script, outlet: Ec2Outlet) -> None:
    unit = "arn:aws:organizations::123456789012:ou/o-exampleorg/ou-ab12-webservers"
    added = [
        {"UserId": "210987654321"},
        {"OrganizationArn": ORGANIZATION},
        {"OrganizationalUnitArn": unit},
    ]
    request = {
        "ImageId": "ami-1",
        "Attribute": "launchPermission",
        "LaunchPermission": {"Add": added},
    }
    ec2.answer("modify_image_attribute", {}, request)
    outlet.share("ami-1", Sharing(("210987654321",), (ORGANIZATION,), (unit,)))


def test_snapshots_are_shared_one_by_one(ec2: Script, outlet: Ec2Outlet) -> None:
    for snapshot in ("snap-1", "snap-2"):
        request = {
            "SnapshotId": snapshot,
            "Attribute": "createVolumePermission",
            "OperationType": "add",
            "UserIds": ["210987654321"],
        }
        ec2.answer("modify_snapshot_attribute", {}, request)
    outlet.share_snapshots(["snap-1", "snap-2"], ["210987654321"])


def test_a_launch_template_is_known_or_not(ec2: Script, outlet: Ec2Outlet) -> None:
    found = {"LaunchTemplates": [{"LaunchTemplateId": "lt-1"}]}
    ec2.answer("describe_launch_templates", found, {"LaunchTemplateNames": ["web"]})
    assert outlet.knows_template(TEMPLATE)
    for code in (
        "InvalidLaunchTemplateName.NotFoundException",
        "InvalidLaunchTemplateId.NotFound",
    ):
        ec2.refuse("describe_launch_templates", code)
        assert not outlet.knows_template(TemplateTarget(id="lt-0123456789abcdef0"))
    ec2.refuse("describe_launch_templates", "UnauthorizedOperation")
    with pytest.raises(AwsRefused):
        outlet.knows_template(TEMPLATE)


def a_version(number: int, image: str) -> dict[str, Any]:
    return {"VersionNumber": number, "LaunchTemplateData": {"ImageId": image}}


def test_a_version_is_added_to_the_latest_one(ec2: Script, outlet: Ec2Outlet) -> None:
    asked: dict[str, Any] = {
        "LaunchTemplateName": "web",
        "Filters": [{"Name": "image-id", "Values": ["ami-1"]}],
        "MaxResults": 200,
    }
    ec2.answer("describe_launch_template_versions", {"LaunchTemplateVersions": []}, asked)
    request = {
        "LaunchTemplateName": "web",
        "SourceVersion": "$Latest",
        "VersionDescription": "Kiln: ami-1",
        "LaunchTemplateData": {"ImageId": "ami-1"},
        "ClientToken": "token",
    }
    made = {"LaunchTemplateVersion": a_version(7, "ami-1")}
    ec2.answer("create_launch_template_version", made, request)
    assert outlet.add_version(TEMPLATE, "ami-1", "token") == 7
    request = {"LaunchTemplateName": "web", "DefaultVersion": "7"}
    ec2.answer("modify_launch_template", {}, request)
    outlet.make_default(TEMPLATE, 7)


def test_a_version_with_the_image_is_not_made_twice(ec2: Script, outlet: Ec2Outlet) -> None:
    found = {"LaunchTemplateVersions": [a_version(9, "ami-2"), a_version(7, "ami-1")]}
    ec2.answer("describe_launch_template_versions", found)
    assert outlet.add_version(TEMPLATE, "ami-1", "token") == 7


@pytest.mark.parametrize("state", ["enabling", "enabled"])
def test_fast_launch_that_is_on_is_left_alone(ec2: Script, outlet: Ec2Outlet, state: str) -> None:
    found = {"FastLaunchImages": [{"ImageId": "ami-1", "State": state}]}
    ec2.answer("describe_fast_launch_images", found, {"ImageIds": ["ami-1"]})
    outlet.enable_fast_launch("ami-1", FastLaunch())


def test_fast_launch_is_asked_for_as_wished(ec2: Script, outlet: Ec2Outlet) -> None:
    failed = {"FastLaunchImages": [{"ImageId": "ami-1", "State": "enabling-failed"}]}
    ec2.answer("describe_fast_launch_images", failed)
    request = {
        "ImageId": "ami-1",
        "ResourceType": "snapshot",
        "SnapshotConfiguration": {"TargetResourceCount": 10},
        "MaxParallelLaunches": 6,
    }
    ec2.answer("enable_fast_launch", {}, request)
    outlet.enable_fast_launch("ami-1", FastLaunch(target_resource_count=10, max_parallel=6))


def test_a_fast_restore_that_ebs_refuses_in_its_answer_is_refused(
    ec2: Script, outlet: Ec2Outlet
) -> None:
    request = {"AvailabilityZones": ["us-east-1a"], "SourceSnapshotIds": ["snap-1"]}
    ec2.answer("enable_fast_snapshot_restores", {"Successful": [{}]}, request)
    outlet.enable_fast_restore(["snap-1"], ["us-east-1a"])
    error = {
        "AvailabilityZone": "us-east-1a",
        "Error": {"Code": "SomeLimit", "Message": "too many"},
    }
    failed = {"SnapshotId": "snap-1", "FastSnapshotRestoreStateErrors": [error]}
    ec2.answer("enable_fast_snapshot_restores", {"Unsuccessful": [failed]})
    with pytest.raises(AwsRefused, match="SomeLimit: snap-1 in us-east-1a: too many"):
        outlet.enable_fast_restore(["snap-1"], ["us-east-1a"])


def test_a_region_is_made_once_and_a_role_is_asked_each_time(ec2: Script) -> None:
    made: list[tuple[str, str, dict[str, str]]] = []

    def clients(service: str, region: str, credentials: dict[str, str]) -> Any:
        made.append((service, region, credentials))
        return ec2.client

    given = {
        "AccessKeyId": "A" * 16,
        "SecretAccessKey": "s",
        "SessionToken": "t",
        "Expiration": "2026-11-23T12:00:00Z",
    }
    with scripted("sts") as sts:
        role = "arn:aws:iam::{account}:role/kiln"
        regions = AwsRegions(clients, lambda: sts.client, "eu-west-1", role)
        assert regions.at("us-east-1") is regions.at("us-east-1")
        assert made == [("ec2", "us-east-1", {}), ("ssm", "us-east-1", {})]
        for _ in range(2):
            request = {
                "RoleArn": "arn:aws:iam::210987654321:role/kiln",
                "RoleSessionName": "kiln-distribution",
            }
            sts.answer("assume_role", {"Credentials": given}, request)
            regions.at("us-east-1", "210987654321")
        assert made[-1][2]["aws_session_token"] == "t"
        assert len(made) == 6


def test_the_regions_of_an_account_are_those_that_are_enabled(ec2: Script) -> None:
    found = {"Regions": [{"RegionName": "eu-west-1"}, {"RegionName": "us-east-1"}]}
    ec2.answer("describe_regions", found, {})
    regions = AwsRegions(lambda *_: ec2.client, lambda: ec2.client, "eu-west-1", "")
    assert regions.enabled() == {"eu-west-1", "us-east-1"}
