"""The rest of the world, in memory, and all of it together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from typing import Any

from kiln.domain.events import Event
from kiln.domain.packages import Manifest
from kiln.errors import AwsRefused, InvalidBlueprint, TokenGone
from kiln.ports import ExecutionFacts, Machine, Place, Settings, World
from tests.builders import NOW
from tests.fakes.distribution import FakeOutlet, FakeRegions
from tests.fakes.fleet import FakeFleet
from tests.fakes.following import FakeCertificates, FakeFollows, FakeSignatures
from tests.fakes.groups import FakeGroups
from tests.fakes.images import FakeImages
from tests.fakes.leftovers import FakeLeftovers
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
from tests.fakes.turns import FakeOrigins, FakePauses, FakeTurns
from tests.fakes.versions import FakeChannels, FakeVersions
from tests.fakes.waits import FakeWaits


class FakeClock:
    """A clock that a test moves."""

    def __init__(self, now: datetime = NOW) -> None:
        self.time = now
        # What else happens meanwhile.
        self.slept: Callable[[float], object] = lambda _: None

    def now(self) -> datetime:
        return self.time

    def move(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)

    def sleep(self, seconds: float) -> None:
        self.move(seconds)
        self.slept(seconds)


@dataclass
class FakeScripts:
    """Scripts in S3."""

    texts: dict[str, str] = field(default_factory=dict)

    def read(self, uri: str, version: str | None) -> str:
        if uri not in self.texts:
            raise InvalidBlueprint(f"script.s3: {uri} cannot be read (NoSuchKey)")
        return self.texts[uri]


@dataclass
class FakeObjects:
    """Kiln's own bucket: what was written, with its media type."""

    bodies: dict[str, bytes] = field(default_factory=dict)
    media_types: dict[str, str] = field(default_factory=dict)

    def read(self, key: str) -> bytes | None:
        return self.bodies.get(key)

    def end(self, key: str, size: int) -> bytes:
        if key not in self.bodies:
            raise AwsRefused("s3", "GetObject", "NoSuchKey", key)
        return self.bodies[key][-size:]

    def write(self, key: str, body: bytes, media_type: str) -> None:
        self.bodies[key], self.media_types[key] = body, media_type

    def link(self, key: str, seconds: int) -> str:
        return f"https://bucket.example/{key}?expires={seconds}"


class FakeBills:
    """Bills of materials that only name what they are of."""

    def write(self, manifest: Manifest, at: datetime) -> bytes:
        return f"{manifest.subject.image} {len(manifest.packages)} {at.isoformat()}".encode()


@dataclass
class FakeBundles:
    """Bundles in S3, by their location."""

    stored: set[str] = field(default_factory=set)

    def location(self, bake: str) -> str:
        return f"bundles-bucket/bundles/{bake}"

    def size(self, location: str) -> int:
        return 2**30 if location in self.stored else 0

    def remove(self, location: str) -> None:
        self.stored.discard(location)


@dataclass
class FakeBus:
    """Events, in the order in which they were announced."""

    events: list[Event] = field(default_factory=list)

    def publish(self, event: Event) -> None:
        self.events.append(event)

    def types(self) -> list[str]:
        """Their detail-types."""
        return [event.detail_type for event in self.events]


@dataclass
class FakeMachines:
    """Waiting tasks and rollouts. Tokens in `gone` have ended."""

    gone: set[str] = field(default_factory=set)
    outputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    failures: dict[str, tuple[str, str]] = field(default_factory=dict)
    started: dict[str, dict[str, Any]] = field(default_factory=dict)
    over: set[str] = field(default_factory=set)
    ended: dict[str, ExecutionFacts] = field(default_factory=dict)

    def succeed(self, token: str, output: dict[str, Any]) -> None:
        self._take(token)
        self.outputs[token] = output

    def fail(self, token: str, error: str, cause: str) -> None:
        self._take(token)
        self.failures[token] = (error, cause)

    def _take(self, token: str) -> None:
        if token in self.gone:
            raise TokenGone(token)
        self.gone.add(token)

    def running(self, machine: Machine, name: str) -> bool:
        return name in self.started and name not in self.over

    def look(self, machine: Machine, name: str) -> ExecutionFacts | None:
        if name not in self.started:
            return None
        known = self.ended.get(
            name, ExecutionFacts("SUCCEEDED" if name in self.over else "RUNNING")
        )
        return replace(known, given=self.started[name])

    def start(self, machine: Machine, name: str, payload: dict[str, Any]) -> bool:
        if name in self.started:
            return name not in self.over and self.started[name] == payload
        self.started[name] = payload
        return True


@dataclass
class FakeWorld:
    """All fakes together; `world` is what a step gets."""

    fleet: FakeFleet = field(default_factory=FakeFleet)
    images: FakeImages = field(default_factory=FakeImages)
    commands: FakeCommands = field(default_factory=FakeCommands)
    parameters: FakeParameters = field(default_factory=FakeParameters)
    scripts: FakeScripts = field(default_factory=FakeScripts)
    objects: FakeObjects = field(default_factory=FakeObjects)
    bills: FakeBills = field(default_factory=FakeBills)
    bundles: FakeBundles = field(default_factory=FakeBundles)
    records: FakeRecords = field(default_factory=FakeRecords)
    bus: FakeBus = field(default_factory=FakeBus)
    machines: FakeMachines = field(default_factory=FakeMachines)
    traffic: FakeTraffic = field(default_factory=FakeTraffic)
    alarms: FakeAlarms = field(default_factory=FakeAlarms)
    rounds: FakeRounds = field(default_factory=FakeRounds)
    deployments: FakeDeployments = field(default_factory=FakeDeployments)
    agents: FakeAgents = field(default_factory=FakeAgents)
    load_steps: FakeLoadSteps = field(default_factory=FakeLoadSteps)
    groups: FakeGroups = field(default_factory=FakeGroups)
    regions: FakeRegions = field(default_factory=FakeRegions)
    schedules: FakeSchedules = field(default_factory=FakeSchedules)
    follows: FakeFollows = field(default_factory=FakeFollows)
    certificates: FakeCertificates = field(default_factory=FakeCertificates)
    signatures: FakeSignatures = field(default_factory=FakeSignatures)
    versions: FakeVersions = field(default_factory=FakeVersions)
    channels: FakeChannels = field(default_factory=FakeChannels)
    uses: FakeUses = field(default_factory=FakeUses)
    distribution_role: str = ""
    release_topics: tuple[str, ...] = ()
    turns: FakeTurns = field(default_factory=FakeTurns)
    waits: FakeWaits = field(default_factory=FakeWaits)
    pauses: FakePauses = field(default_factory=FakePauses)
    origins: FakeOrigins = field(default_factory=FakeOrigins)
    max_bakes: int = 10
    clock: FakeClock = field(default_factory=FakeClock)
    subnets: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.waits.now = self.turns.now = self.clock.now
        self.workshop = FakeWorkshop(self.records)
        self.shelf = FakeShelf(self.images)
        here = Place(self.images, self.parameters, FakeOutlet(self.images), self.uses, self.shelf)
        self.regions.places["eu-west-1", None] = here
        self.leftovers = FakeLeftovers(self.fleet, self.images, self.regions, self.bundles.stored)

    @property
    def world(self) -> World:
        """The world of a step."""
        ports = [field.name for field in fields(World) if field.name != "settings"]
        settings = Settings(
            "eu-west-1",
            "123456789012",
            self.subnets,
            distribution_role=self.distribution_role,
            release_topics=self.release_topics,
            max_bakes=self.max_bakes,
        )
        return World(**{name: getattr(self, name) for name in ports}, settings=settings)
