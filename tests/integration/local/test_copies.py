"""The local AWS between Regions and accounts: copies, what may be shared, what is faster."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.iam.models import iam_backends

from tests.integration.local.worlds import World, a_world, until

pytestmark = pytest.mark.long

FAR, FRIEND = "us-east-1", "210987654321"
KEY = {"Encrypted": True, "KmsKeyId": "alias/images", "VolumeSize": 8}
ROOT = {"DeviceName": "/dev/xvda", "Ebs": KEY}


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with a_world() as world:
        yield world


@pytest.fixture(scope="module")
def far(world: World) -> Any:
    """EC2 of another Region."""
    return world.aws.session().client("ec2", region_name=FAR)


@pytest.fixture(scope="module")
def image(world: World) -> str:
    """An image under a key of the account's own, with a file that a test can know again."""
    instance = world.launch(BlockDeviceMappings=[ROOT])
    until(lambda: world.ping(instance) == "Online")
    (world.aws.room.root(instance) / "etc/kiln-test").write_text("copied\n")
    return an_image(world, instance, "own-key")


def an_image(world: World, instance: str, name: str) -> str:
    """An image of an instance, available."""
    made = str(world.ec2.create_image(InstanceId=instance, Name=name)["ImageId"])
    until(lambda: described(world.ec2, made)["State"] == "available")
    return made


def described(client: Any, image: str) -> dict[str, Any]:
    return dict(client.describe_images(ImageIds=[image])["Images"][0])


def copy(far: Any, image: str, name: str, **more: Any) -> str:
    """Copy an image to the other Region."""
    wanted = {"SourceImageId": image, "SourceRegion": "eu-west-1", "Encrypted": True}
    return str(far.copy_image(Name=name, **(wanted | more))["ImageId"])


def code_of(refused: pytest.ExceptionInfo[ClientError]) -> str:
    return str(refused.value.response["Error"]["Code"])


def test_a_copy_becomes_available_in_its_region_and_says_so_there(
    world: World, far: Any, image: str
) -> None:
    tags = [{"Key": "team", "Value": "shop"}]
    specs = [{"ResourceType": kind, "Tags": tags} for kind in ("image", "snapshot")]
    copied = copy(far, image, "copied", KmsKeyId="alias/far", TagSpecifications=specs)
    found = described(far, copied)
    assert (found["State"], found["Tags"]) == ("pending", tags)
    until(lambda: described(far, copied)["State"] == "available")
    snapshot = found["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]
    (told,) = far.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"]
    assert (told["KmsKeyId"], told["Tags"], told["State"]) == ("alias/far", tags, "completed")
    (event,) = world.sent("EC2 AMI State Change", ImageId=copied)
    assert (event["region"], event["detail"]["State"]) == (FAR, "available")
    assert event["resources"] == [f"arn:aws:ec2:{FAR}::image/{copied}"]


def test_an_instance_of_a_copy_has_the_files_of_the_image(
    world: World, far: Any, image: str
) -> None:
    copied = copy(far, image, "booted")
    until(lambda: described(far, copied)["State"] == "available")
    wanted = {"InstanceType": "m7i.large", "MinCount": 1, "MaxCount": 1}
    instance = far.run_instances(ImageId=copied, **wanted)["Instances"][0]["InstanceId"]
    until(lambda: world.aws.agents.online(instance))
    assert (world.aws.room.root(instance) / "etc/kiln-test").read_text() == "copied\n"
    (event,) = world.sent("EC2 Instance State-change Notification", **{"instance-id": instance})[:1]
    assert event["region"] == FAR
    # Its node is one of its own Region.
    assert world.node(instance) == {}
    far.stop_instances(InstanceIds=[instance])
    far.terminate_instances(InstanceIds=[instance])


def test_a_token_gives_the_same_copy_even_one_that_failed(
    world: World, far: Any, image: str
) -> None:
    world.aws.copies.fail(FAR)
    copied = copy(far, image, "failed", ClientToken="t-1")
    until(lambda: described(far, copied)["State"] == "failed")
    world.aws.copies.mend(FAR)
    reason = described(far, copied)["StateReason"]["Message"]
    assert reason == "Copy image failed with an internal error."
    (event,) = world.sent("EC2 AMI State Change", ImageId=copied)
    assert event["detail"]["ErrorMessage"] == reason
    assert copy(far, image, "failed", ClientToken="t-1") == copied
    with pytest.raises(ClientError) as refused:
        copy(far, image, "other", ClientToken="t-1")
    assert code_of(refused) == "IdempotentParameterMismatch"
    far.deregister_image(ImageId=copied, DeleteAssociatedSnapshots=True)


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"Encrypted": False}, "InvalidRequest"),
        ({"SourceImageId": "ami-0123456789abcdef0"}, "InvalidAMIID.NotFound"),
        ({"SourceRegion": "eu-central-1"}, "InvalidAMIID.NotFound"),
    ],
)
def test_what_cannot_be_copied_is_refused(
    far: Any, image: str, more: dict[str, Any], code: str
) -> None:
    with pytest.raises(ClientError) as refused:
        copy(far, image, "refused", **more)
    assert code_of(refused) == code


def share(client: Any, image: str, **permission: str) -> None:
    added: Any = {"Add": [permission]}
    client.modify_image_attribute(ImageId=image, LaunchPermission=added)


def test_what_is_encrypted_with_the_default_key_cannot_be_shared(world: World) -> None:
    """The words are those that users of Packer were told."""
    instance = world.an_instance()
    image = an_image(world, instance, "default-key")
    with pytest.raises(ClientError, match="encrypted with the AWS Managed CMK can't be") as refused:
        share(world.ec2, image, UserId=FRIEND)
    assert code_of(refused) == "InvalidParameter"
    snapshot = described(world.ec2, image)["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]
    with pytest.raises(ClientError, match="default key cannot be shared") as refused:
        world.ec2.modify_snapshot_attribute(
            SnapshotId=snapshot,
            Attribute="createVolumePermission",
            OperationType="add",
            UserIds=[FRIEND],
        )
    assert code_of(refused) == "OperationNotPermitted"


def test_an_organization_is_named_by_its_arn(world: World, image: str) -> None:
    arn = "arn:aws:organizations::123456789012:organization/o-exampleorg"
    share(world.ec2, image, OrganizationArn=arn)
    with pytest.raises(ClientError) as refused:
        share(world.ec2, image, OrganizationalUnitArn=arn)
    assert code_of(refused) == "InvalidParameterValue"


def in_account(world: World, service: str) -> Any:
    """A client by a role of the other account."""
    sts = world.client("sts")
    role = f"arn:aws:iam::{FRIEND}:role/lent"
    given = sts.assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    make: Any = world.aws.session().client
    return make(
        service,
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )


def test_another_account_sees_what_is_shared_with_it_and_tags_it_for_itself(
    world: World, image: str
) -> None:
    with pytest.raises(ClientError) as refused:
        in_account(world, "ec2")
    assert code_of(refused) == "AccessDenied"
    iam_backends[FRIEND]["aws"].create_role("lent", "{}", "/", "", "", [], "3600")
    client, parameters = in_account(world, "ec2"), in_account(world, "ssm")
    pointer = {"Name": "/images/web", "Value": image, "Type": "String", "Overwrite": True}
    with pytest.raises(ClientError) as refused:
        client.describe_images(ImageIds=[image])
    assert code_of(refused) == "InvalidAMIID.NotFound"
    parameters.put_parameter(**pointer, DataType="aws:ec2:image")
    with pytest.raises(parameters.exceptions.ParameterNotFound):
        parameters.get_parameter(Name="/images/web")
    share(world.ec2, image, UserId=FRIEND)
    world.ec2.create_tags(Resources=[image], Tags=[{"Key": "team", "Value": "shop"}])
    assert described(client, image).get("Tags", []) == []
    client.create_tags(Resources=[image], Tags=[{"Key": "seen", "Value": "here"}])
    assert described(client, image)["Tags"] == [{"Key": "seen", "Value": "here"}]
    assert described(world.ec2, image)["Tags"] == [{"Key": "team", "Value": "shop"}]
    parameters.put_parameter(**pointer, DataType="aws:ec2:image")
    assert parameters.get_parameter(Name="/images/web")["Parameter"]["Value"] == image


def test_fast_restore_is_enabled_over_time_in_zones_that_exist(world: World, image: str) -> None:
    snapshot = described(world.ec2, image)["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]
    wanted = {"SourceSnapshotIds": [snapshot]}
    told = world.ec2.enable_fast_snapshot_restores(AvailabilityZones=["eu-west-1a"], **wanted)
    assert [(row["SnapshotId"], row["State"]) for row in told["Successful"]] == [
        (snapshot, "enabling")
    ]

    def enabled() -> bool:
        (row,) = world.ec2.describe_fast_snapshot_restores()["FastSnapshotRestores"]
        return bool(row["State"] == "enabled")

    until(enabled)
    with pytest.raises(ClientError) as refused:
        world.ec2.enable_fast_snapshot_restores(AvailabilityZones=["us-east-1a"], **wanted)
    assert code_of(refused) == "InvalidParameterValue"


def test_fast_launch_is_for_windows(world: World, image: str) -> None:
    with pytest.raises(ClientError) as refused:
        world.ec2.enable_fast_launch(ImageId=image)
    assert code_of(refused) == "InvalidParameter"
    name = "/aws/service/ami-windows-latest/Windows_Server-2022-English-Full-Base"
    windows = world.ssm.get_parameter(Name=name)["Parameter"]["Value"]
    told = world.ec2.enable_fast_launch(ImageId=windows, MaxParallelLaunches=6)
    assert told["State"] == "enabling"
    (row,) = world.ec2.describe_fast_launch_images(ImageIds=[windows])["FastLaunchImages"]
    assert (row["ImageId"], row["MaxParallelLaunches"]) == (windows, 6)


def test_versions_of_a_launch_template_are_found_by_their_image(world: World, image: str) -> None:
    data: Any = {"InstanceType": "m7i.large"}
    world.ec2.create_launch_template(LaunchTemplateName="web", LaunchTemplateData=data)
    world.ec2.create_launch_template_version(
        LaunchTemplateName="web", SourceVersion="$Latest", LaunchTemplateData={"ImageId": image}
    )
    for wanted, numbers in ((image, [2]), ("ami-0123456789abcdef0", [])):
        told = world.ec2.describe_launch_template_versions(
            LaunchTemplateName="web", Filters=[{"Name": "image-id", "Values": [wanted]}]
        )
        assert [v["VersionNumber"] for v in told["LaunchTemplateVersions"]] == numbers
