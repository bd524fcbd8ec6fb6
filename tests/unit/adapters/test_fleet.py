"""What is asked of EC2 for instances, word for word, and how its answers are read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from kiln.adapters.fleet import Ec2Fleet
from kiln.domain.builder import Volume
from kiln.errors import AwsBusy, AwsRefused, CapacityShort
from kiln.ports import LaunchOrder
from tests.builders import BAKE, an_image
from tests.stubs import Script, scripted

TAGS = {"kiln:bake": BAKE, "kiln:managed": "true"}
LAUNCHED = {"Instances": [{"InstanceId": "i-1"}]}


@pytest.fixture
def ec2() -> Iterator[Script]:
    with scripted("ec2") as script:
        yield script


def a_fleet(ec2: Script, **settings: str) -> Ec2Fleet:
    known = {"security_group": "sg-1", "instance_profile": "kiln-builder"} | settings
    return Ec2Fleet(ec2.client, **known)


def an_order(**overrides: Any) -> LaunchOrder:
    values: dict[str, Any] = {
        "image": an_image(),
        "instance_type": "m7i.large",
        "token": "a" * 64,
        "tags": TAGS,
    }
    return LaunchOrder(**(values | overrides))


def requested(order: LaunchOrder, **settings: str) -> dict[str, Any]:
    """The RunInstances request that an order leads to."""
    with scripted("ec2") as script:
        seen: list[dict[str, Any]] = []

        def keep(params: dict[str, Any], **_: Any) -> None:
            seen.append(params)

        script.answer("run_instances", LAUNCHED)
        hook = "provide-client-params.ec2.RunInstances"
        script.client.meta.events.register(hook, keep)
        try:
            assert a_fleet(script, **settings).launch(order) == "i-1"
        finally:
            script.client.meta.events.unregister(hook, keep)
    return seen[0]


def root_of(order: LaunchOrder) -> dict[str, Any]:
    (mapping,) = requested(order)["BlockDeviceMappings"]
    root: dict[str, Any] = mapping["Ebs"]
    return root


def test_a_launch_is_tagged_encrypted_and_closed_in_one_call() -> None:
    tags = [
        {"Key": "kiln:bake", "Value": BAKE},
        {"Key": "kiln:managed", "Value": "true"},
        {"Key": "Name", "Value": "web-builder"},
    ]
    assert requested(an_order(subnet="subnet-1", hostname="web-builder")) == {
        "ImageId": an_image().id,
        "InstanceType": "m7i.large",
        "MinCount": 1,
        "MaxCount": 1,
        "ClientToken": "a" * 64,
        "SubnetId": "subnet-1",
        "SecurityGroupIds": ["sg-1"],
        "IamInstanceProfile": {"Name": "kiln-builder"},
        "InstanceInitiatedShutdownBehavior": "stop",
        "MetadataOptions": {
            "HttpEndpoint": "enabled",
            "HttpTokens": "required",
            "HttpPutResponseHopLimit": 1,
            "InstanceMetadataTags": "disabled",
        },
        "TagSpecifications": [
            {"ResourceType": kind, "Tags": tags}
            for kind in ("instance", "volume", "network-interface")
        ],
        "BlockDeviceMappings": [
            {
                "DeviceName": "/dev/xvda",
                "Ebs": {
                    "Encrypted": True,
                    "DeleteOnTermination": True,
                    "VolumeType": "gp3",
                    "VolumeSize": 8,
                },
            }
        ],
    }


def test_what_the_template_does_not_set_is_left_to_the_account() -> None:
    request = requested(an_order(), security_group="", instance_profile="")
    assert not {"SubnetId", "SecurityGroupIds", "IamInstanceProfile", "KeyName"} & set(request)


def test_the_root_volume_is_as_the_blueprint_wants_it() -> None:
    volume = Volume(
        size_gib=20, type="gp3", iops=6000, throughput_mib_s=500, kms_key="alias/images"
    )
    assert root_of(an_order(volume=volume)) == {
        "Encrypted": True,
        "DeleteOnTermination": True,
        "VolumeType": "gp3",
        "VolumeSize": 20,
        "Iops": 6000,
        "Throughput": 500,
        "KmsKeyId": "alias/images",
    }


def test_the_root_volume_is_never_smaller_than_its_snapshot() -> None:
    """EC2 refuses a volume smaller than the snapshot (InvalidBlockDeviceMapping)."""
    assert root_of(an_order(volume=Volume(size_gib=4)))["VolumeSize"] == 8


def test_an_instance_store_root_gets_no_volume() -> None:
    order = an_order(image=an_image(root_device_type="instance-store", snapshots=()))
    assert "BlockDeviceMappings" not in requested(order)


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [
        ("InsufficientInstanceCapacity", 500, CapacityShort),
        ("InsufficientHostCapacity", 500, CapacityShort),
        ("InsufficientFreeAddressesInSubnet", 400, CapacityShort),
        ("Unsupported", 400, CapacityShort),
        ("RequestLimitExceeded", 503, AwsBusy),
        ("InternalError", 500, AwsBusy),
        ("IdempotentParameterMismatch", 400, AwsRefused),
        ("InstanceLimitExceeded", 400, AwsRefused),
        ("VcpuLimitExceeded", 400, AwsRefused),
        ("MaxSpotInstanceCountExceeded", 400, AwsRefused),
        ("UnauthorizedOperation", 403, AwsRefused),
    ],
)
def test_a_launch_that_fails_says_whether_another_place_or_time_may_help(
    ec2: Script, code: str, status: int, error: type[Exception]
) -> None:
    """Codes: EC2 API reference, "Error codes for the Amazon EC2 API"; quotas are not capacity."""
    ec2.refuse("run_instances", code, status)
    with pytest.raises(error) as found:
        a_fleet(ec2).launch(an_order())
    assert type(found.value) is error


@pytest.mark.parametrize("code", ["InvalidInstanceID.NotFound", "InvalidInstanceID.Malformed"])
def test_an_instance_that_ec2_does_not_know_yet_is_none(ec2: Script, code: str) -> None:
    """EC2 API reference, "Eventual consistency": a new id may be unknown for a while."""
    ec2.refuse("describe_instances", code)
    assert a_fleet(ec2).describe("i-1") is None


def test_an_instance_that_may_not_be_seen_is_an_error(ec2: Script) -> None:
    ec2.refuse("describe_instances", "UnauthorizedOperation", 403)
    with pytest.raises(AwsRefused, match="words of AWS"):
        a_fleet(ec2).describe("i-1")


def an_instance(identifier: str, **facts: Any) -> dict[str, Any]:
    """An instance as DescribeInstances gives it."""
    common = {"InstanceId": identifier, "ImageId": "ami-1", "InstanceType": "m7i.large"}
    return common | {"State": {"Name": "running", "Code": 16}} | facts


def test_an_instance_says_why_it_is_as_it_is(ec2: Script) -> None:
    failed = an_instance(
        "i-1",
        State={"Name": "terminated", "Code": 48},
        StateReason={"Code": "Client.VolumeLimitExceeded", "Message": "Volume limit exceeded"},
        Tags=[{"Key": "kiln:bake", "Value": BAKE}],
        PrivateIpAddress="10.0.0.9",
        BlockDeviceMappings=[
            {"DeviceName": "/dev/sdf", "Ebs": {"VolumeId": "vol-1", "Status": "attached"}},
        ],
    )
    ec2.answer("describe_instances", {"Reservations": [{"Instances": [failed]}]})
    found = a_fleet(ec2).describe("i-1")
    assert found is not None
    assert (found.state, found.state_reason) == ("terminated", "Volume limit exceeded")
    assert (found.tags, found.private_ip) == ({"kiln:bake": BAKE}, "10.0.0.9")
    assert found.volumes == {"/dev/sdf": "vol-1"}


def test_instances_of_a_bake_come_from_every_page(ec2: Script) -> None:
    alive = ["pending", "running", "stopping", "stopped"]
    filters = [
        {"Name": "tag:kiln:bake", "Values": [BAKE]},
        {"Name": "instance-state-name", "Values": alive},
    ]
    first = {"Reservations": [{"Instances": [an_instance("i-1")]}], "NextToken": "more"}
    last = {"Reservations": [{"Instances": [an_instance("i-2")]}, {"Instances": []}]}
    request = {"Filters": filters, "MaxResults": 1000}
    ec2.answer("describe_instances", first, request)
    ec2.answer("describe_instances", last, request | {"NextToken": "more"})
    assert [instance.id for instance in a_fleet(ec2).of_bake(BAKE)] == ["i-1", "i-2"]


def test_a_pattern_in_a_tags_value_is_taken_literally(ec2: Script) -> None:
    """EC2 User Guide, "List and filter your resources": a backslash makes * and ? literal."""
    ec2.answer(
        "describe_volumes",
        {"Volumes": []},
        {
            "Filters": [
                {"Name": "tag:kiln:bake", "Values": [r"a\*\?\\b"]},
                {"Name": "status", "Values": ["available"]},
            ],
            "MaxResults": 500,
        },
    )
    assert a_fleet(ec2).volumes_of_bake("a*?\\b") == ()


def test_termination_goes_on_after_an_instance_that_is_gone(ec2: Script) -> None:
    ec2.refuse("terminate_instances", "InvalidInstanceID.NotFound")
    ec2.answer("terminate_instances", {"TerminatingInstances": []}, {"InstanceIds": ["i-2"]})
    a_fleet(ec2).terminate(["i-1", "i-2"])


def test_termination_that_is_forbidden_is_an_error(ec2: Script) -> None:
    """OperationNotPermitted: the instance has termination protection."""
    ec2.refuse("terminate_instances", "OperationNotPermitted")
    with pytest.raises(AwsRefused):
        a_fleet(ec2).terminate(["i-1"])


def test_a_volume_that_is_gone_is_passed_over(ec2: Script) -> None:
    ec2.refuse("delete_volume", "InvalidVolume.NotFound")
    ec2.refuse("delete_volume", "VolumeInUse")
    a_fleet(ec2).delete_volume("vol-1")
    with pytest.raises(AwsRefused, match="VolumeInUse"):
        a_fleet(ec2).delete_volume("vol-2")


def test_types_come_in_the_order_asked_without_those_that_ec2_does_not_know(ec2: Script) -> None:
    small = {
        "InstanceType": "m3.medium",
        "ProcessorInfo": {"SupportedArchitectures": ["x86_64"]},
        "SupportedVirtualizationTypes": ["hvm", "paravirtual"],
        "SupportedRootDeviceTypes": ["ebs", "instance-store"],
        "NetworkInfo": {"EnaSupport": "unsupported"},
    }
    large = small | {
        "InstanceType": "m7i.large",
        "SupportedVirtualizationTypes": ["hvm"],
        "SupportedBootModes": ["legacy-bios", "uefi"],
        "NetworkInfo": {"EnaSupport": "required"},
        "EbsInfo": {"NvmeSupport": "required"},
    }
    wanted = ["m7i.large", "m9.none", "m3.medium"]
    ec2.answer(
        "describe_instance_types",
        {"InstanceTypes": [small, large]},
        {"Filters": [{"Name": "instance-type", "Values": wanted}], "MaxResults": 100},
    )
    first, second = a_fleet(ec2).types(wanted)
    assert (first.name, first.ena, first.nvme) == ("m7i.large", "required", "required")
    assert first.boot_modes == ("legacy-bios", "uefi")
    assert (second.name, second.ena, second.nvme) == ("m3.medium", "unsupported", "unsupported")
    assert second.root_devices == ("ebs", "instance-store")


def test_no_types_are_asked_for_none(ec2: Script) -> None:
    assert a_fleet(ec2).types([]) == ()
