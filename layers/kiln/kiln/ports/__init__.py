"""What a step needs of the world, in our words. Adapters fulfil them; so do the tests' fakes."""

from __future__ import annotations

from dataclasses import dataclass

from kiln.ports.aws import (
    Bundles,
    Bus,
    Clock,
    CommandFacts,
    CommandOrder,
    Commands,
    Fleet,
    Images,
    Objects,
    Parameters,
    Scripts,
    StepResult,
)
from kiln.ports.contents import Bills
from kiln.ports.distribution import CopyOrder, Outlet, Place, Regions, Sharing
from kiln.ports.ec2 import ImageOrder, InstanceFacts, LaunchOrder
from kiln.ports.following import Certificates, Follows, Signatures
from kiln.ports.groups import Groups, VersionOrder
from kiln.ports.leftovers import Leftovers
from kiln.ports.life import Reach, Shelf, Uses, Workshop
from kiln.ports.machines import ExecutionFacts, Machine, Machines
from kiln.ports.records import Records
from kiln.ports.schedules import Schedules, Standing, Timing
from kiln.ports.stacks import Agents, Alarms, Deployments, LoadSteps, Rounds, Traffic
from kiln.ports.turns import Origins, Pauses, Turns
from kiln.ports.versions import Channels, Versions
from kiln.ports.waits import Waits


@dataclass(frozen=True)
class Settings:
    """What the template decides for every function. `deployment` tells this Kiln from another one
    in the account."""

    region: str
    account: str = ""
    subnets: tuple[str, ...] = ()
    deployment: str = "kiln"
    # The role that other accounts give Kiln, empty where they do not.
    distribution_role: str = ""
    # The topics of SNS whose notices are listened to, by ARN.
    release_topics: tuple[str, ...] = ()
    # How many bakes of this deployment may run at once.
    max_bakes: int = 10


# To compare or to print one would make every port of one that makes them when they are asked for.
@dataclass(frozen=True, eq=False, repr=False)
class World:
    """Everything outside that a step may use."""

    fleet: Fleet
    images: Images
    commands: Commands
    parameters: Parameters
    scripts: Scripts
    objects: Objects
    bills: Bills
    bundles: Bundles
    records: Records
    waits: Waits
    bus: Bus
    machines: Machines
    traffic: Traffic
    alarms: Alarms
    rounds: Rounds
    deployments: Deployments
    agents: Agents
    load_steps: LoadSteps
    groups: Groups
    regions: Regions
    leftovers: Leftovers
    schedules: Schedules
    follows: Follows
    certificates: Certificates
    signatures: Signatures
    turns: Turns
    pauses: Pauses
    origins: Origins
    versions: Versions
    channels: Channels
    workshop: Workshop
    clock: Clock
    settings: Settings


__all__ = [
    "Agents",
    "Alarms",
    "Bills",
    "Bundles",
    "Bus",
    "Certificates",
    "Channels",
    "Clock",
    "CommandFacts",
    "CommandOrder",
    "Commands",
    "CopyOrder",
    "Deployments",
    "ExecutionFacts",
    "Fleet",
    "Follows",
    "Groups",
    "ImageOrder",
    "Images",
    "InstanceFacts",
    "LaunchOrder",
    "Leftovers",
    "LoadSteps",
    "Machine",
    "Machines",
    "Objects",
    "Origins",
    "Outlet",
    "Parameters",
    "Pauses",
    "Place",
    "Reach",
    "Records",
    "Regions",
    "Rounds",
    "Schedules",
    "Scripts",
    "Settings",
    "Sharing",
    "Shelf",
    "Signatures",
    "Standing",
    "StepResult",
    "Timing",
    "Traffic",
    "Turns",
    "Uses",
    "VersionOrder",
    "Versions",
    "Waits",
    "Workshop",
    "World",
]
