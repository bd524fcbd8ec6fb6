"""Where a command works: an AWS account or the local AWS, both as the same world of ports."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.config import Config

from kiln.adapters._errors import translated
from kiln.errors import AwsRefused
from kiln.ports import World
from kiln.wiring import Environment, make_world

# A person waits for the answer that nobody is there.
FIRST_CALL = Config(retries={"total_max_attempts": 2}, connect_timeout=5, read_timeout=20)


@dataclass(frozen=True)
class Place:
    """A deployed Kiln: its world, and outputs and parameters of its CloudFormation stack by
    name."""

    world: World
    session: boto3.Session
    outputs: dict[str, str]
    stack_name: str = "kiln"
    parameters: dict[str, str] = field(default_factory=dict)

    @property
    def bake_machine(self) -> str:
        """The state machine's ARN."""
        return self.outputs["BakeStateMachineArn"]

    @property
    def distribution_machine(self) -> str:
        """The ARN of the state machine that distributes an image again."""
        return self.outputs["DistributionStateMachineArn"]

    def execution(self, bake: str) -> str:
        """The ARN of a bake's execution: Step Functions makes it of the machine's and the name."""
        return f"{self.bake_machine.replace(':stateMachine:', ':execution:')}:{bake}"

    def caller(self) -> str:
        """Who asks, as an ARN: it stands in what is kept of deployments and rollouts."""
        with translated("sts", "GetCallerIdentity"):
            return str(self.client("sts").get_caller_identity()["Arn"])

    def client(self, service: str) -> Any:
        """A client on this place."""
        return self.session.client(service)  # type: ignore[call-overload]


def make_place(
    session: boto3.Session,
    stack_name: str,
    outputs: dict[str, str],
    parameters: dict[str, str] | None = None,
) -> Place:
    """A place from a stack's outputs and parameters."""
    given = parameters or {}
    environment = Environment(
        table=outputs["TableName"],
        bucket=outputs["BucketName"],
        bus=outputs["BusName"],
        document_prefix=stack_name,
        subnets=given.get("SubnetIds", ""),
        max_bakes=int(given.get("MaxBakes", "10")),
        rollout_state_machine=outputs["RolloutStateMachineArn"],
        instance_state_machine=outputs["InstanceStateMachineArn"],
        configure_state_machine=outputs["ConfigureStateMachineArn"],
        distribution_state_machine=outputs.get("DistributionStateMachineArn", ""),
        bake_state_machine=outputs["BakeStateMachineArn"],
        # A stack of an older Kiln has none of these; who wants a schedule is told.
        schedule_group=outputs.get("ScheduleGroupName", ""),
        schedule_role=outputs.get("ScheduleRoleArn", ""),
        dead_letters=outputs.get("DeadLettersArn", ""),
    )
    return Place(make_world(environment, session), session, outputs, stack_name, given)


def account(stack_name: str) -> Place:
    """The account and Region of the environment. Raises AwsRefused, AwsBusy."""
    stack, session = _describe(stack_name)
    outputs = {o["OutputKey"]: o["OutputValue"] for o in stack.get("Outputs", ())}
    parameters = {
        p["ParameterKey"]: p.get("ParameterValue", "") for p in stack.get("Parameters", ())
    }
    if "BakeStateMachineArn" not in outputs:
        raise AwsRefused(
            "cloudformation",
            "DescribeStacks",
            "NoOutputs",
            f"stack {stack_name} is {stack['StackStatus']} and has no output BakeStateMachineArn; "
            "is it Kiln's? name it with --stack-name",
        )
    return make_place(session, stack_name, outputs, parameters)


def _describe(stack_name: str) -> tuple[Any, boto3.Session]:
    try:
        with translated("cloudformation", "DescribeStacks"):
            session = boto3.Session()
            client = session.client("cloudformation", config=FIRST_CALL)
            return client.describe_stacks(StackName=stack_name)["Stacks"][0], session
    except ValueError as error:  # an empty Region, an endpoint that is no URL
        raise AwsRefused("cloudformation", "DescribeStacks", "Endpoint", str(error)) from error
