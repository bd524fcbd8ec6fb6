"""An image goes to other Regions and accounts; what fails in one of them is done again, once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kiln.wiring import world
from kiln_cli import baking
from kiln_cli.local import LocalLedger, _pace, tell_outputs
from kiln_cli.opening import Opened
from kiln_cli.place import make_place
from kiln_cli.result import BakeResult
from kiln_local.world import LocalAws
from tests.e2e.running import ROOT, bake, befriend, write
from tests.integration.local.worlds import until
from tests.kiln_command import run

pytestmark = [pytest.mark.long, pytest.mark.timeout(120)]
HOME, FAR = "eu-west-1", ("eu-central-1", "us-east-1", "us-east-2", "ap-southeast-2")
FRIEND = "210987654321"
ROLE = "kiln-distribution"
KEY = "alias/images"
ORGANIZATION = "arn:aws:organizations::123456789012:organization/o-exampleorg"
UNIT = "arn:aws:organizations::123456789012:ou/o-exampleorg/ou-ab12-webservers"


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    """One local AWS for the tests below; another account has given it a role."""
    with LocalAws(ROOT, speed=300, parameters={"DistributionRole": ROLE}) as aws:
        befriend(aws, FRIEND, ROLE)
        yield aws


@pytest.fixture(scope="module")
def at(aws: LocalAws) -> Opened:
    """The same as the command line has it."""
    place = make_place(aws.session(), "kiln", aws.outputs)
    tell_outputs(place)
    return Opened(place, LocalLedger(aws), _pace(aws))


@pytest.fixture(scope="module")
def shop(aws: LocalAws, at: Opened, tmp_path_factory: pytest.TempPathFactory) -> BakeResult:
    """A bake for four Regions, in one of which EC2 fails the copy."""
    ec2(aws, "us-east-1").create_launch_template(
        LaunchTemplateName="shop", LaunchTemplateData={"InstanceType": "m7i.large"}
    )
    distribute = {
        "regions": [{"region": region, "kms_key": KEY} for region in FAR],
        "accounts": [FRIEND],
        "organizations": [ORGANIZATION],
        "organizational_units": [UNIT],
        "copyable": True,
        "parameter": "/images/shop",
        "launch_templates": [{"region": "us-east-1", "name": "shop", "default": True}],
        "fast_snapshot_restore": ["us-east-1a"],
    }
    path = write(
        tmp_path_factory.mktemp("shop"),
        name="shop",
        builder={"instance_types": ["m7i.large"], "volume": {"kms_key": KEY}},
        image={"tags": {"team": "shop"}, "deprecate_after": "90d"},
        distribute=distribute,
    )
    aws.copies.fail("us-east-2")
    try:
        return bake(path, at)
    finally:
        aws.copies.mend("us-east-2")


def ec2(aws: LocalAws, region: str) -> Any:
    """EC2 of a Region."""
    return aws.session().client("ec2", region_name=region)


def own(aws: LocalAws, region: str, name: str) -> list[dict[str, Any]]:
    """The account's images of a name in a Region."""
    filters = [{"Name": "name", "Values": [name]}]
    found = ec2(aws, region).describe_images(Owners=["self"], Filters=filters)
    return list(found["Images"])


def image_of(result: BakeResult) -> Any:
    assert result.image is not None
    return result.image


def test_a_copy_that_fails_fails_the_bake_and_nothing_else(aws: LocalAws, shop: BakeResult) -> None:
    image = image_of(shop)
    assert (shop.bake.status, shop.bake.error) == ("FAILED", "DistributionFailed")
    cause = shop.bake.cause or ""
    assert "is not ready in us-east-2:" in cause
    assert "Copy image failed with an internal error." in cause
    assert f"`kiln distribute {image.id}`" in cause
    assert {p.region: p.status for p in shop.places} == {
        **dict.fromkeys((HOME, *FAR), "available"),
        "us-east-2": "failed",
    }
    assert shop.leaks == ()
    assert image.state == "available"
    for region in (HOME, *FAR):
        made = [i["State"] for i in own(aws, region, image.name)]
        assert made == ([] if region == "us-east-2" else ["available"]), region
    assert ec2(aws, "us-east-2").describe_snapshots(OwnerIds=["self"])["Snapshots"] == []


def test_an_image_is_announced_with_the_regions_it_is_in(shop: BakeResult) -> None:
    record = world().records.image(image_of(shop).id)
    assert record is not None
    assert record.announced is not None


def test_a_copy_is_like_its_image_under_the_key_of_its_region(
    aws: LocalAws, shop: BakeResult
) -> None:
    image = image_of(shop)
    (there,) = own(aws, "eu-central-1", image.name)
    assert {t["Key"]: t["Value"] for t in there["Tags"]} == image.tags
    snapshot = there["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]
    (found,) = ec2(aws, "eu-central-1").describe_snapshots(SnapshotIds=[snapshot])["Snapshots"]
    assert (found["Encrypted"], found["KmsKeyId"]) == (True, KEY)
    assert {t["Key"]: t["Value"] for t in found["Tags"]} == image.tags
    (here,) = own(aws, HOME, image.name)
    assert there["DeprecationTime"] == here["DeprecationTime"]


def test_those_who_are_to_have_an_image_have_it(aws: LocalAws, shop: BakeResult) -> None:
    image = image_of(shop)
    for region in (HOME, "us-east-1"):
        (there,) = own(aws, region, image.name)
        client = ec2(aws, region)
        told = client.describe_image_attribute(
            ImageId=there["ImageId"], Attribute="launchPermission"
        )
        assert told["LaunchPermissions"] == [
            {"UserId": FRIEND},
            {"OrganizationArn": ORGANIZATION},
            {"OrganizationalUnitArn": UNIT},
        ]
        snapshot = there["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]
        told = client.describe_snapshot_attribute(
            SnapshotId=snapshot, Attribute="createVolumePermission"
        )
        assert told["CreateVolumePermissions"] == [{"UserId": FRIEND}]


def test_pointers_name_the_image_of_their_region_and_are_read_back(
    aws: LocalAws, shop: BakeResult
) -> None:
    image = image_of(shop)
    for region in (HOME, "eu-central-1", "us-east-1", "ap-southeast-2"):
        (there,) = own(aws, region, image.name)
        client = aws.session().client("ssm", region_name=region)
        found = client.get_parameter(Name="/images/shop")["Parameter"]
        assert (found["Value"], found["DataType"]) == (there["ImageId"], "aws:ec2:image")
    client = aws.session().client("ssm", region_name="us-east-2")
    with pytest.raises(client.exceptions.ParameterNotFound):
        client.get_parameter(Name="/images/shop")


def test_another_account_has_tags_and_pointers_of_its_own(aws: LocalAws, shop: BakeResult) -> None:
    image = image_of(shop)
    for region in (HOME, "us-east-1"):
        (there,) = own(aws, region, image.name)
        friend = world().regions.at(region, FRIEND)
        seen = friend.images.describe(there["ImageId"])
        assert seen is not None
        assert seen.tags == {
            key: tag for key, tag in image.tags.items() if key not in ("kiln:bake", "kiln:managed")
        }
        assert friend.parameters.read("/images/shop") == there["ImageId"]


def test_a_launch_template_gets_one_version_that_launches_use(
    aws: LocalAws, shop: BakeResult
) -> None:
    client = ec2(aws, "us-east-1")
    (there,) = own(aws, "us-east-1", image_of(shop).name)
    told = client.describe_launch_template_versions(LaunchTemplateName="shop")
    newest = max(told["LaunchTemplateVersions"], key=lambda v: v["VersionNumber"])
    assert newest["DefaultVersion"]
    assert newest["VersionNumber"] == 2
    assert newest["LaunchTemplateData"]["ImageId"] == there["ImageId"]
    assert newest["LaunchTemplateData"]["InstanceType"] == "m7i.large"


def test_an_instance_boots_in_another_region(aws: LocalAws, at: Opened, shop: BakeResult) -> None:
    client = ec2(aws, "ap-southeast-2")
    (there,) = own(aws, "ap-southeast-2", image_of(shop).name)
    run = client.run_instances(
        ImageId=there["ImageId"], InstanceType="m7i.large", MinCount=1, MaxCount=1
    )
    instance = run["Instances"][0]["InstanceId"]
    while not aws.agents.online(instance):
        at.pace.sleep(10)
    assert (aws.room.root(instance) / "etc/os-release").is_file()
    client.terminate_instances(InstanceIds=[instance])


def test_the_retry_does_what_is_missing_and_nothing_twice(aws: LocalAws, shop: BakeResult) -> None:
    """The last of the tests on this image."""
    image = image_of(shop)
    before = aws.recorder.count()
    ran = run("distribute", image.id, "--json")
    assert (ran.status, ran.json["status"], ran.json["error"]) == (0, "SUCCEEDED", None)
    assert {place["status"] for place in ran.json["places"]} == {"available"}
    for region in (HOME, *FAR):
        assert len(own(aws, region, image.name)) == 1, region
    after = aws.recorder.count()
    assert after["ec2:CopyImage"] - before["ec2:CopyImage"] == 1
    assert after["ec2:CreateLaunchTemplateVersion"] == 1
    again = run("distribute", image.id, "--region", "us-east-1", "--region", "us-east-2", "--json")
    assert again.json["status"] == "SUCCEEDED"
    assert aws.recorder.count()["ec2:CopyImage"] == after["ec2:CopyImage"]
    assert aws.recorder.count()["ec2:CreateLaunchTemplateVersion"] == 1
    (listed,) = run("images", "shop", "--json").json["images"]
    assert listed["places"] == again.json["places"]
    assert [place["accounts"] for place in listed["places"]] == [[FRIEND]] * 5
    copies = {str(place["image"]) for place in listed["places"]}
    assert aws.leaks(shop.bake.id, image.id, copies=copies) == []


def test_a_copy_under_way_when_its_bake_was_stopped_is_removed_and_can_be_made_again(
    aws: LocalAws, at: Opened, tmp_path: Path
) -> None:
    path = write(tmp_path, name="stopped", distribute={"regions": [{"region": "us-east-1"}]})
    wanted = baking.wanted_from(str(path), path, at.place)
    plan = baking.check(wanted, at.place)
    baking.start(wanted, plan, at.place)
    there = world().regions.at("us-east-1").images
    while not there.of_bake(plan.bake):
        at.pace.sleep(5)
    at.place.client("stepfunctions").stop_execution(executionArn=at.place.execution(plan.bake))
    (half,) = there.of_bake(plan.bake)
    until(lambda: (record := world().records.bake(plan.bake)) and record.ended)
    assert half.id not in {copy.id for copy in there.of_bake(plan.bake)}
    (image,) = world().records.images("stopped")
    assert run("distribute", image.id, "--json").json["status"] == "SUCCEEDED"
    (whole,) = there.of_bake(plan.bake)
    assert whole.state == "available"
    (record,) = world().records.images("stopped")
    assert record.announced is not None


def test_what_other_regions_lack_is_refused_before_a_launch(at: Opened, tmp_path: Path) -> None:
    path = write(tmp_path, name="refused", distribute={"regions": [{"region": "eu-north-9"}]})
    with pytest.raises(baking.InvalidBlueprint, match="eu-north-9 is no Region that is enabled"):
        bake(path, at)
