"""The world in memory: one fake per port, as small as the port's promises allow."""

from __future__ import annotations

from tests.fakes.distribution import FakeOutlet, FakeRegions
from tests.fakes.fleet import FakeFleet
from tests.fakes.following import FakeCertificates, FakeFollows, FakeSignatures
from tests.fakes.groups import FakeGroups
from tests.fakes.images import FakeImages
from tests.fakes.life import FakeShelf, FakeUses, FakeWorkshop
from tests.fakes.records import FakeRecords
from tests.fakes.schedules import FakeSchedules
from tests.fakes.stacks import (
    FakeAgents,
    FakeAlarms,
    FakeDeployments,
    FakeLoadSteps,
    FakeRounds,
    FakeTraffic,
)
from tests.fakes.systems_manager import FakeCommands, FakeParameters
from tests.fakes.versions import FakeChannels, FakeVersions
from tests.fakes.world import (
    FakeBills,
    FakeBus,
    FakeClock,
    FakeMachines,
    FakeObjects,
    FakeScripts,
    FakeWorld,
)

__all__ = [
    "FakeAgents",
    "FakeAlarms",
    "FakeBills",
    "FakeBus",
    "FakeCertificates",
    "FakeChannels",
    "FakeClock",
    "FakeCommands",
    "FakeDeployments",
    "FakeFleet",
    "FakeFollows",
    "FakeGroups",
    "FakeImages",
    "FakeLoadSteps",
    "FakeMachines",
    "FakeObjects",
    "FakeOutlet",
    "FakeParameters",
    "FakeRecords",
    "FakeRegions",
    "FakeRounds",
    "FakeSchedules",
    "FakeScripts",
    "FakeShelf",
    "FakeSignatures",
    "FakeTraffic",
    "FakeUses",
    "FakeVersions",
    "FakeWorkshop",
    "FakeWorld",
]
