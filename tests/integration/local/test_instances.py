"""An instance as a client outside sees it: rebooted, lost, and the commands sent to it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from kiln_local.world import LocalAws

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[3]
BASE = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"


def until(true: Callable[[], Any]) -> Any:
    """Wait until something holds; what it gave."""
    deadline = time.monotonic() + 20
    while not (found := true()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)
    return found


class Outside:
    """A client outside, and one instance of its own."""

    def __init__(self, aws: LocalAws) -> None:
        self.aws = aws
        self.ec2: Any = aws.session().client("ec2")
        self.ssm: Any = aws.session().client("ssm")
        base = self.ssm.get_parameter(Name=BASE)["Parameter"]["Value"]
        tags = [{"Key": "kiln:bake", "Value": "web"}]
        answer = self.ec2.run_instances(
            ImageId=base,
            MinCount=1,
            MaxCount=1,
            InstanceType="m7i.large",
            TagSpecifications=[{"ResourceType": r, "Tags": tags} for r in ("instance", "volume")],
        )
        self.instance = answer["Instances"][0]["InstanceId"]

    def online(self) -> bool:
        """Whether its agent is online."""
        wanted = [{"Key": "InstanceIds", "Values": [self.instance]}]
        found = self.ssm.describe_instance_information(Filters=wanted)["InstanceInformationList"]
        return [node["PingStatus"] for node in found] == ["Online"]

    def state(self) -> str:
        """What EC2 calls it."""
        found = self.ec2.describe_instances(InstanceIds=[self.instance])
        return str(found["Reservations"][0]["Instances"][0]["State"]["Name"])

    def send(self, line: str) -> str:
        """Send a shell command; its id."""
        sent = self.ssm.send_command(
            InstanceIds=[self.instance],
            DocumentName="AWS-RunShellScript",
            Parameters={"commands": [line]},
        )
        return str(sent["Command"]["CommandId"])

    def listed(self, status: str) -> list[str]:
        """Commands of a status."""
        found = self.ssm.list_commands(Filters=[{"key": "Status", "value": status}])
        return [command["CommandId"] for command in found["Commands"]]


@pytest.fixture
def outside() -> Iterator[Outside]:
    """A local AWS with one instance that is online."""
    with LocalAws(ROOT, speed=200) as aws:
        client = Outside(aws)
        until(client.online)
        yield client


def test_a_reboot_takes_the_agent_away_and_brings_it_back(outside: Outside) -> None:
    outside.ec2.reboot_instances(InstanceIds=[outside.instance])
    until(lambda: not outside.online())
    assert outside.state() == "running"
    until(outside.online)
    command = outside.send("echo up")
    assert until(lambda: outside.listed("Success")) == [command]


def test_a_command_to_a_machine_that_is_gone_fails_and_nothing_leaks(outside: Outside) -> None:
    command = outside.send("echo never")
    outside.aws.room.destroy(outside.instance)
    assert until(lambda: outside.listed("Failed")) == [command]
    outside.ec2.terminate_instances(InstanceIds=[outside.instance])
    until(lambda: outside.state() == "terminated")
    assert outside.aws.leaks("web", None) == []


def test_a_filter_that_is_not_known_is_refused(outside: Outside) -> None:
    wanted = [{"key": "ExecutionStage", "value": "Executing"}]
    with pytest.raises(outside.ssm.exceptions.InvalidFilterKey, match="ExecutionStage"):
        outside.ssm.list_commands(Filters=wanted)


def test_an_instance_with_empty_user_data_has_a_machine_that_stops(outside: Outside) -> None:
    # As packer launches.
    same = outside.ec2.describe_instances(InstanceIds=[outside.instance])["Reservations"][0]
    launched = outside.ec2.run_instances(
        ImageId=same["Instances"][0]["ImageId"],
        MinCount=1,
        MaxCount=1,
        InstanceType="m7i.large",
        UserData="",
    )
    outside.instance = launched["Instances"][0]["InstanceId"]
    until(outside.online)
    outside.ec2.stop_instances(InstanceIds=[outside.instance])
    until(lambda: outside.state() == "stopped")


def test_an_image_of_which_only_the_name_is_known_cannot_be_launched(outside: Outside) -> None:
    named = [{"Name": "name", "Values": ["al2023-ami-2023.9.20251110.0-*-x86_64"]}]
    assert outside.ec2.describe_images(Owners=["amazon"], Filters=named)["Images"] == []
    (image,) = outside.ec2.describe_images(
        Owners=["amazon"], Filters=named, IncludeDeprecated=True
    )["Images"]
    (same,) = outside.ec2.describe_images(ImageIds=[image["ImageId"]])["Images"]
    assert same["DeprecationTime"] == image["DeprecationTime"]
    with pytest.raises(ClientError, match="has no more than the name"):
        outside.ec2.run_instances(
            ImageId=image["ImageId"], MinCount=1, MaxCount=1, InstanceType="m7i.large"
        )


def test_the_type_of_an_instance_changes_only_while_it_is_stopped(outside: Outside) -> None:
    def resize() -> None:
        outside.ec2.modify_instance_attribute(
            InstanceId=outside.instance, InstanceType={"Value": "m7i.xlarge"}
        )

    with pytest.raises(outside.ec2.exceptions.ClientError, match="IncorrectInstanceState"):
        resize()
    outside.ec2.stop_instances(InstanceIds=[outside.instance])
    until(lambda: outside.state() == "stopped")
    resize()
    found = outside.ec2.describe_instances(InstanceIds=[outside.instance])
    assert found["Reservations"][0]["Instances"][0]["InstanceType"] == "m7i.xlarge"
