"""A local AWS of its own for tests, and what tests want in it, made by API calls."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from kiln_local.world import LocalAws

BASE = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
# The translator wants a resource at least.
NOTHING = """
AWSTemplateFormatVersion: "2010-09-09"
Resources:
  Bus: {Type: "AWS::Events::EventBus", Properties: {Name: tests}}
"""


def until(true: Callable[[], Any], seconds: float = 30, pause: float = 0.01) -> Any:
    """Wait real seconds until something holds, looking every so often; what it gave."""
    deadline = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(pause)
    return found


def open_queue(sqs: Any, name: str) -> tuple[str, str]:
    """A queue that EventBridge may send to; its address and its ARN."""
    url = str(sqs.create_queue(QueueName=name)["QueueUrl"])
    asked = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    arn = str(asked["Attributes"]["QueueArn"])
    allowed = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    return url, arn


@contextmanager
def a_world(template: str = NOTHING, speed: float = 200.0) -> Iterator[World]:
    """A local AWS made of a template of its own, which is empty unless a test wants one."""
    with TemporaryDirectory() as folder:
        Path(folder, "template.yaml").write_text(template)
        with LocalAws(Path(folder), speed=speed) as aws:
            yield World(aws)


class World:
    """A client outside of one local AWS. Whatever it makes stays until that ends."""

    def __init__(self, aws: LocalAws) -> None:
        self.aws = aws
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        """A client of a service, made once."""
        if service not in self._clients:
            self._clients[service] = self.aws.session().client(service)  # type: ignore[call-overload]
        return self._clients[service]

    @property
    def ec2(self) -> Any:
        """EC2."""
        return self.client("ec2")

    @property
    def ssm(self) -> Any:
        """Systems Manager."""
        return self.client("ssm")

    @property
    def elb(self) -> Any:
        """Elastic Load Balancing."""
        return self.client("elbv2")

    @property
    def cloudwatch(self) -> Any:
        """CloudWatch."""
        return self.client("cloudwatch")

    @cached_property
    def base(self) -> str:
        """The id of a public image."""
        return str(self.ssm.get_parameter(Name=BASE)["Parameter"]["Value"])

    def a_queue(self, name: str) -> tuple[str, str]:
        """A queue that rules of the account may send to; its address and its ARN."""
        return open_queue(self.client("sqs"), name)

    # ------------------------------------------------------------ instances

    def launch(self, **more: Any) -> str:
        """Launch an instance; its id."""
        wanted = {"ImageId": self.base, "InstanceType": "m7i.large", "MinCount": 1, "MaxCount": 1}
        return str(self.ec2.run_instances(**(wanted | more))["Instances"][0]["InstanceId"])

    def an_instance(self) -> str:
        """An instance whose agent is online."""
        instance = self.launch()
        until(lambda: self.ping(instance) == "Online")
        return instance

    def instance(self, instance: str) -> dict[str, Any]:
        """As EC2 describes it."""
        found = self.ec2.describe_instances(InstanceIds=[instance])
        return dict(found["Reservations"][0]["Instances"][0])

    def state(self, instance: str) -> str:
        """What EC2 calls it."""
        return str(self.instance(instance)["State"]["Name"])

    def node(self, instance: str) -> dict[str, Any]:
        """As Systems Manager describes it; empty where it does not."""
        wanted = [{"Key": "InstanceIds", "Values": [instance]}]
        found = self.ssm.describe_instance_information(Filters=wanted)["InstanceInformationList"]
        return dict(found[0]) if found else {}

    def ping(self, instance: str) -> str:
        """What Systems Manager says of its agent: nothing before it has been heard of."""
        return str(self.node(instance).get("PingStatus", ""))

    def run(self, instance: str, line: str, **more: Any) -> str:
        """Send a shell command; its id."""
        sent = self.ssm.send_command(
            InstanceIds=[instance],
            DocumentName="AWS-RunShellScript",
            Parameters={"commands": [line]},
            **more,
        )
        return str(sent["Command"]["CommandId"])

    def command(self, command: str) -> dict[str, Any]:
        """A command as Systems Manager lists it."""
        return dict(self.ssm.list_commands(CommandId=command)["Commands"][0])

    # ------------------------------------------------------------ load balancing

    @cached_property
    def subnets(self) -> list[dict[str, Any]]:
        """The default subnets, one an Availability Zone."""
        return list(self.ec2.describe_subnets()["Subnets"])

    def a_target_group(self, name: str, used: bool = True, **more: Any) -> str:
        """A target group, used by a load balancer of its own; its ARN."""
        wanted = {
            "Protocol": "HTTP",
            "Port": 80,
            "VpcId": self.subnets[0]["VpcId"],
            "HealthCheckIntervalSeconds": 10,
            "HealthyThresholdCount": 3,
            "UnhealthyThresholdCount": 2,
        }
        made = self.elb.create_target_group(Name=name, **(wanted | more))
        arn = str(made["TargetGroups"][0]["TargetGroupArn"])
        if used:
            self.a_balancer(name, arn)
        return arn

    def a_balancer(self, name: str, group: str) -> str:
        """A load balancer that forwards to a group; its listener's ARN."""
        subnets = [subnet["SubnetId"] for subnet in self.subnets[:2]]
        made = self.elb.create_load_balancer(Name=name, Subnets=subnets)["LoadBalancers"][0]
        listener = self.elb.create_listener(
            LoadBalancerArn=made["LoadBalancerArn"],
            Protocol="HTTP",
            Port=80,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
        )
        return str(listener["Listeners"][0]["ListenerArn"])

    def health(self, group: str, instance: str) -> dict[str, Any]:
        """The health of an instance in a group."""
        wanted = [{"Id": instance}]
        found = self.elb.describe_target_health(TargetGroupArn=group, Targets=wanted)
        return dict(found["TargetHealthDescriptions"][0]["TargetHealth"])

    # ------------------------------------------------------------ alarms

    def an_alarm(self, name: str, **more: Any) -> str:
        """An alarm on a metric; its name."""
        wanted = {
            "AlarmDescription": "Too many errors",
            "Namespace": "Shop",
            "MetricName": "Errors",
            "Dimensions": [{"Name": "Layer", "Value": "web"}],
            "Statistic": "Sum",
            "Period": 60,
            "EvaluationPeriods": 1,
            "Threshold": 1.0,
            "ComparisonOperator": "GreaterThanThreshold",
        }
        self.cloudwatch.put_metric_alarm(AlarmName=name, **(wanted | more))
        return name

    def ring(self, alarm: str, state: str = "ALARM") -> None:
        """Set an alarm's state."""
        self.cloudwatch.set_alarm_state(AlarmName=alarm, StateValue=state, StateReason="a test")

    def sent(self, detail_type: str, **detail: Any) -> list[dict[str, Any]]:
        """Events of a type that AWS has sent, with these values in their detail."""
        found = self.aws.sent(detail_type)
        return [event for event in found if detail.items() <= event["detail"].items()]
