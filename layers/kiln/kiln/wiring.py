"""The only reader of the environment and maker of clients. Cached, never at import."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from kiln.adapters import leftovers
from kiln.adapters._table import Table
from kiln.adapters.agents import SsmAgents
from kiln.adapters.alarms import CloudWatchAlarms
from kiln.adapters.bundles import S3Bundles
from kiln.adapters.bus import EventBridgeBus
from kiln.adapters.certificates import HttpsCertificates
from kiln.adapters.channels import DynamoChannels
from kiln.adapters.clock import SystemClock
from kiln.adapters.commands import SsmCommands
from kiln.adapters.deployments import DynamoDeployments
from kiln.adapters.distribution import AwsRegions
from kiln.adapters.fleet import Ec2Fleet
from kiln.adapters.follows import DynamoFollows
from kiln.adapters.groups import AsgGroups
from kiln.adapters.images import Ec2Images
from kiln.adapters.load_steps import DynamoLoadSteps
from kiln.adapters.machines import StepFunctionsMachines
from kiln.adapters.objects import S3Objects
from kiln.adapters.origins import AwsOrigins
from kiln.adapters.parameters import SsmParameters
from kiln.adapters.pauses import DynamoPauses
from kiln.adapters.records import DynamoRecords
from kiln.adapters.rounds import DynamoRounds
from kiln.adapters.sbom import CycloneDxBills
from kiln.adapters.schedules import EventBridgeSchedules, ScheduleGround
from kiln.adapters.scripts import S3Scripts
from kiln.adapters.signatures import X509Signatures
from kiln.adapters.templates import Ec2Templates
from kiln.adapters.traffic import ElbTraffic
from kiln.adapters.turns import DynamoTurns
from kiln.adapters.versions import DynamoVersions
from kiln.adapters.workshop import DynamoWorkshop
from kiln.domain.model import Lenient
from kiln.ports import Machine, Settings, World

# Adaptive retries slow down together with EC2's token buckets instead of running against them.
_RETRIES = Config(
    retries={"mode": "adaptive", "max_attempts": 6}, connect_timeout=5, read_timeout=30
)


class Environment(Lenient):
    """What the template tells every function. The aliases are the variables' names."""

    table: str
    bucket: str
    bundles: str = ""
    account: str = ""
    bus: str
    document_prefix: str
    subnets: str = ""
    security_group: str = ""
    instance_profile: str = ""
    bake_state_machine: str = ""
    rollout_state_machine: str = ""
    instance_state_machine: str = ""
    configure_state_machine: str = ""
    distribution_role: str = ""
    schedule_group: str = ""
    schedule_role: str = ""
    dead_letters: str = ""
    release_topics: str = ""
    max_bakes: int = 10

    @classmethod
    def read(cls, variables: Mapping[str, str]) -> Environment:
        """From `KILN_TABLE` and so on; a missing one fails the cold start and is named."""
        prefix = "KILN_"
        found = {
            key[len(prefix) :].lower(): value
            for key, value in variables.items()
            if key.startswith(prefix)
        }
        return cls.model_validate(found)

    @property
    def schedule_ground(self) -> ScheduleGround:
        """What the schedules of blueprints stand on: only a command is told."""
        return ScheduleGround(
            self.schedule_group, self.schedule_role, self.bake_state_machine, self.dead_letters
        )

    @property
    def machines(self) -> dict[Machine, str]:
        """The ARNs of the state machines that a step may start."""
        return {
            "bake": self.bake_state_machine,
            "rollout": self.rollout_state_machine,
            "instance": self.instance_state_machine,
            "configure": self.configure_state_machine,
        }


@cache
def world() -> World:
    """The world of this process, made from its environment on first use."""
    return make_world(Environment.read(os.environ), boto3.Session())


def make_world(environment: Environment, session: boto3.Session) -> World:
    """A world on the account and Region of a session."""

    def client(service: str) -> Any:
        return session.client(service, config=_RETRIES)  # type: ignore[call-overload]

    ec2, ssm, s3, dynamodb = (client(name) for name in ("ec2", "ssm", "s3", "dynamodb"))
    clock = SystemClock()
    return World(
        fleet=Ec2Fleet(ec2, environment.security_group, environment.instance_profile),
        images=Ec2Images(ec2),
        commands=SsmCommands(ssm, environment.document_prefix, environment.bucket),
        parameters=SsmParameters(ssm),
        scripts=S3Scripts(s3),
        objects=S3Objects(s3, environment.bucket),
        bills=CycloneDxBills(),
        bundles=S3Bundles(s3, environment.bundles),
        bus=EventBridgeBus(client("events"), environment.bus),
        machines=StepFunctionsMachines(client("stepfunctions"), environment.machines),
        traffic=ElbTraffic(client("elbv2")),
        alarms=CloudWatchAlarms(client("cloudwatch")),
        agents=SsmAgents(ssm),
        groups=AsgGroups(client("autoscaling"), Ec2Templates(ec2)),
        regions=_regions(session, environment.distribution_role),
        leftovers=_leftovers(session, s3, environment, dynamodb),
        schedules=EventBridgeSchedules(lambda: client("scheduler"), environment.schedule_ground),
        certificates=HttpsCertificates(),
        signatures=X509Signatures(),
        origins=AwsOrigins(ssm, s3, environment.document_prefix),
        **_kept(dynamodb, environment.table, clock),
        clock=clock,
        settings=_settings(environment, str(session.region_name)),
    )


def _kept(dynamodb: Any, table: str, clock: SystemClock) -> dict[str, Any]:
    """The ports on the one table, by their names."""
    return {
        "records": DynamoRecords(dynamodb, table, clock),
        "rounds": DynamoRounds(dynamodb, table),
        "deployments": DynamoDeployments(dynamodb, table),
        "load_steps": DynamoLoadSteps(dynamodb, table),
        "follows": DynamoFollows(dynamodb, table),
        "turns": DynamoTurns(dynamodb, table),
        "pauses": DynamoPauses(dynamodb, table),
        "versions": DynamoVersions(dynamodb, table),
        "channels": DynamoChannels(dynamodb, table),
        "workshop": DynamoWorkshop(dynamodb, table),
    }


def _leftovers(
    session: boto3.Session, s3: Any, environment: Environment, dynamodb: Any
) -> leftovers.Ec2Leftovers:
    def ec2(region: str) -> Any:
        return session.client("ec2", region_name=region, config=_RETRIES)

    place = leftovers.Place(ec2, str(session.region_name), s3, environment.bundles)
    return leftovers.Ec2Leftovers(place, Table(dynamodb, environment.table))


def _settings(environment: Environment, region: str) -> Settings:
    return Settings(
        region=region,
        account=environment.account,
        subnets=_listed(environment.subnets),
        deployment=environment.document_prefix,
        distribution_role=environment.distribution_role,
        release_topics=_listed(environment.release_topics),
        max_bakes=environment.max_bakes,
    )


def _listed(names: str) -> tuple[str, ...]:
    return tuple(name for name in names.split(",") if name)


def _regions(session: boto3.Session, role: str) -> AwsRegions:
    """Every Region by clients of its own, and other accounts by their role."""
    own = str(session.region_name)

    def clients(service: str, region: str, credentials: dict[str, str]) -> Any:
        made: Any = session.client  # its stub wants a service by name
        return made(service, region_name=region, config=_RETRIES, **credentials)

    partition = session.get_partition_for_region(own)
    arn = f"arn:{partition}:iam::{{account}}:role/{role}"
    return AwsRegions(clients, session.client("sts", config=_RETRIES), own, arn)
