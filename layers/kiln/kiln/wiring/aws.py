"""Every port on AWS, each made when a step first asks for it: a function loads the adapters that it
uses, and no client of a service that it never calls.

That is why modules are imported inside the properties here and in `table`, and nowhere else.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from kiln.wiring.table import TableWorld

if TYPE_CHECKING:
    from kiln.ports import (
        Agents,
        Alarms,
        Bills,
        Bundles,
        Bus,
        Certificates,
        Clock,
        Commands,
        Fleet,
        Groups,
        Images,
        Leftovers,
        Machines,
        Objects,
        Origins,
        Parameters,
        Regions,
        Schedules,
        Scripts,
        Settings,
        Signatures,
        Traffic,
    )


class AwsWorld(TableWorld):
    """The world of an account and Region: those of a session."""

    @cached_property
    def settings(self) -> Settings:
        return self._told.settings(self._here)

    @cached_property
    def fleet(self) -> Fleet:
        from kiln.adapters.fleet import Ec2Fleet

        return Ec2Fleet(self._client("ec2"), self._told.security_group, self._told.instance_profile)

    @cached_property
    def images(self) -> Images:
        from kiln.adapters.images import Ec2Images

        return Ec2Images(self._client("ec2"))

    @cached_property
    def commands(self) -> Commands:
        from kiln.adapters.commands import SsmCommands

        return SsmCommands(self._client("ssm"), self._told.document_prefix, self._told.bucket)

    @cached_property
    def parameters(self) -> Parameters:
        from kiln.adapters.parameters import SsmParameters

        return SsmParameters(self._client("ssm"))

    @cached_property
    def scripts(self) -> Scripts:
        from kiln.adapters.scripts import S3Scripts

        return S3Scripts(self._client("s3"))

    @cached_property
    def objects(self) -> Objects:
        from kiln.adapters.objects import S3Objects

        return S3Objects(self._client("s3"), self._told.bucket)

    @cached_property
    def bills(self) -> Bills:
        from kiln.adapters.sbom import CycloneDxBills

        return CycloneDxBills()

    @cached_property
    def bundles(self) -> Bundles:
        from kiln.adapters.bundles import S3Bundles

        return S3Bundles(self._client("s3"), self._told.bundles)

    @cached_property
    def bus(self) -> Bus:
        from kiln.adapters.bus import EventBridgeBus

        return EventBridgeBus(self._client("events"), self._told.bus)

    @cached_property
    def machines(self) -> Machines:
        from kiln.adapters.machines import StepFunctionsMachines

        return StepFunctionsMachines(self._client("stepfunctions"), self._told.machines)

    @cached_property
    def traffic(self) -> Traffic:
        from kiln.adapters.traffic import ElbTraffic

        return ElbTraffic(self._client("elbv2"))

    @cached_property
    def alarms(self) -> Alarms:
        from kiln.adapters.alarms import CloudWatchAlarms

        return CloudWatchAlarms(self._client("cloudwatch"))

    @cached_property
    def agents(self) -> Agents:
        from kiln.adapters.agents import SsmAgents

        return SsmAgents(self._client("ssm"))

    @cached_property
    def certificates(self) -> Certificates:
        from kiln.adapters.certificates import HttpsCertificates

        return HttpsCertificates()

    @cached_property
    def signatures(self) -> Signatures:
        from kiln.adapters.signatures import X509Signatures

        return X509Signatures()

    @cached_property
    def origins(self) -> Origins:
        from kiln.adapters.origins import AwsOrigins

        return AwsOrigins(self._client("ssm"), self._client("s3"), self._told.document_prefix)

    @cached_property
    def clock(self) -> Clock:
        from kiln.adapters.clock import SystemClock

        return SystemClock()

    @cached_property
    def groups(self) -> Groups:
        from kiln.adapters.groups import AsgGroups
        from kiln.adapters.templates import Ec2Templates

        return AsgGroups(self._client("autoscaling"), Ec2Templates(self._client("ec2")))

    @cached_property
    def schedules(self) -> Schedules:
        from kiln.adapters.schedules import EventBridgeSchedules, ScheduleGround

        told = self._told
        # Only a command is told of these.
        ground = ScheduleGround(
            told.schedule_group, told.schedule_role, told.bake_state_machine, told.dead_letters
        )
        return EventBridgeSchedules(lambda: self._client("scheduler"), ground)

    @cached_property
    def leftovers(self) -> Leftovers:
        from kiln.adapters._table import Table
        from kiln.adapters.leftovers import Ec2Leftovers, Place

        place = Place(
            lambda region: self._abroad("ec2", region),
            self._here,
            self._client("s3"),
            self._told.bundles,
        )
        return Ec2Leftovers(place, Table(*self._table))

    @cached_property
    def regions(self) -> Regions:
        from kiln.adapters.distribution import AwsRegions

        partition = self._session.get_partition_for_region(self._here)
        role = f"arn:{partition}:iam::{{account}}:role/{self._told.distribution_role}"
        return AwsRegions(self._abroad, lambda: self._client("sts"), self._here, role)
