"""The world in memory: one fake per port, as small as the port's promises allow."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any

from kiln.domain.bake import BakeRecord, ImageRecord
from kiln.domain.events import Event
from kiln.domain.image import ImageFacts, TypeFacts
from kiln.domain.naming import TAG_BAKE, blueprint_of
from kiln.domain.platforms import ImageName
from kiln.domain.rollout import Rollout
from kiln.domain.stack import LayerInstance, Stack, split_layer
from kiln.domain.waiting import WaitingToken
from kiln.errors import AwsBusy, AwsRefused, CapacityShort, InvalidBlueprint, TokenGone
from kiln.ports import (
    CommandFacts,
    CommandOrder,
    ImageOrder,
    InstanceFacts,
    LaunchOrder,
    Settings,
    StepResult,
    World,
)
from tests.builders import NOW, a_type, an_image

_ALIVE = ("pending", "running", "stopping", "stopped")


class FakeClock:
    """A clock that a test moves."""

    def __init__(self, now: datetime = NOW) -> None:
        self.time = now

    def now(self) -> datetime:
        return self.time

    def move(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


@dataclass
class FakeFleet:
    """Instances. `short` names types and places without capacity, `refusal` is raised by every call
    that changes something."""

    short: set[tuple[str, str | None]] = field(default_factory=set)
    refusal: AwsRefused | None = None
    orders: list[LaunchOrder] = field(default_factory=list)
    instances: dict[str, InstanceFacts] = field(default_factory=dict)
    volumes: dict[str, str] = field(default_factory=dict)
    known: dict[str, TypeFacts] = field(
        default_factory=lambda: {n: a_type(n) for n in ("m7i.large", "m6i.large", "m5.large")}
    )
    _tokens: dict[str, str] = field(default_factory=dict)
    _ids: Any = field(default_factory=lambda: itertools.count(1))

    def launch(self, order: LaunchOrder) -> str:
        self._check()
        if (order.instance_type, order.subnet) in self.short:
            raise CapacityShort("ec2", "RunInstances", "InsufficientInstanceCapacity", "none here")
        if order.token not in self._tokens:
            self.orders.append(order)
            self._tokens[order.token] = self.add(
                order.tags, "pending", order.image.id, order.instance_type
            )
        return self._tokens[order.token]

    def add(
        self,
        tags: dict[str, str],
        state: str = "running",
        image: str = "ami-1",
        instance_type: str = "m7i.large",
    ) -> str:
        """Put an instance in place."""
        new = InstanceFacts(f"i-{next(self._ids):017x}", state, "", image, instance_type, tags)
        self.instances[new.id] = new
        return new.id

    def become(self, instance: str, state: str, reason: str = "") -> None:
        """Change an instance's state."""
        found = self.instances[instance]
        self.instances[instance] = replace(found, state=state, state_reason=reason)

    def describe(self, instance: str) -> InstanceFacts | None:
        return self.instances.get(instance)

    def of_bake(self, bake: str) -> tuple[InstanceFacts, ...]:
        found = self.instances.values()
        return tuple(i for i in found if i.tags.get(TAG_BAKE) == bake and i.state in _ALIVE)

    def stop(self, instance: str) -> None:
        self._check()
        if instance not in self.instances:
            raise AwsRefused("ec2", "StopInstances", "InvalidInstanceID.NotFound", instance)
        self.become(instance, "stopping")

    def terminate(self, instances: Iterable[str]) -> None:
        self._check()
        for instance in instances:
            if instance in self.instances:
                self.become(instance, "shutting-down")

    def volumes_of_bake(self, bake: str) -> tuple[str, ...]:
        return tuple(volume for volume, owner in self.volumes.items() if owner == bake)

    def delete_volume(self, volume: str) -> None:
        self._check()
        self.volumes.pop(volume, None)

    def types(self, names: Iterable[str]) -> tuple[TypeFacts, ...]:
        return tuple(self.known[name] for name in names if name in self.known)

    def _check(self) -> None:
        if self.refusal:
            raise self.refusal


@dataclass
class FakeImages:
    """Images with their snapshots. Names of own images are unique."""

    images: dict[str, ImageFacts] = field(default_factory=lambda: {an_image().id: an_image()})
    owners: dict[str, str] = field(default_factory=lambda: {an_image().id: "137112412989"})
    refusal: AwsRefused | None = None
    snapshots: dict[str, str] = field(default_factory=dict)
    deprecated: dict[str, datetime] = field(default_factory=dict)
    _ids: Any = field(default_factory=lambda: itertools.count(1))

    def add(self, image: ImageFacts, owner: str = "self") -> None:
        """Put an image in place."""
        self.images[image.id], self.owners[image.id] = image, owner

    def describe(self, image: str) -> ImageFacts | None:
        return self.images.get(image)

    def newest(self, pattern: ImageName) -> ImageFacts | None:
        found = (
            image
            for image in self.images.values()
            if self.owners[image.id] == pattern.owner
            and image.state == "available"
            and fnmatchcase(image.name, pattern.name)
        )
        return max(found, key=lambda image: image.created, default=None)

    def named(self, name: str) -> ImageFacts | None:
        own = (i for i in self.images.values() if self.owners[i.id] == "self")
        return next((image for image in own if image.name == name), None)

    def of_bake(self, bake: str) -> tuple[ImageFacts, ...]:
        own = (i for i in self.images.values() if self.owners[i.id] == "self")
        return tuple(image for image in own if image.tags.get(TAG_BAKE) == bake)

    def create(self, order: ImageOrder) -> str:
        if self.refusal:
            raise self.refusal
        if self.named(order.name):
            raise AwsRefused("ec2", "CreateImage", "InvalidAMIName.Duplicate", "taken")
        identifier = f"ami-{next(self._ids):017x}"
        self.add(an_image(id=identifier, name=order.name, state="pending", tags=order.tags))
        self.snapshots[f"snap-{identifier}"] = order.tags[TAG_BAKE]
        return identifier

    def deregister(self, image: str) -> None:
        self.images.pop(image, None)
        self.snapshots.pop(f"snap-{image}", None)

    def snapshots_of_bake(self, bake: str) -> tuple[str, ...]:
        return tuple(snap for snap, owner in self.snapshots.items() if owner == bake)

    def delete_snapshot(self, snapshot: str) -> None:
        self.snapshots.pop(snapshot, None)

    def tag(self, resources: Iterable[str], tags: dict[str, str]) -> None:
        if self.refusal:
            raise self.refusal
        for name in resources:
            if name in self.images:
                found = self.images[name]
                self.images[name] = found.model_copy(update={"tags": found.tags | tags})

    def deprecate(self, image: str, at: datetime) -> None:
        self.deprecated[image] = at


@dataclass
class FakeCommands:
    """Run Command. A test says how a command ended with `end`."""

    agents: set[str] = field(default_factory=set)
    sent: dict[str, CommandOrder] = field(default_factory=dict)
    ended: dict[str, tuple[str, tuple[StepResult, ...]]] = field(default_factory=dict)
    refusal: AwsRefused | None = None

    def online(self, instance: str) -> bool:
        return instance in self.agents

    def send(self, order: CommandOrder) -> str:
        if self.refusal:
            raise self.refusal
        identifier = f"command-{len(self.sent) + 1}"
        self.sent[identifier] = order
        return identifier

    def find(self, instance: str, comment: str) -> str | None:
        for identifier, order in self.sent.items():
            if (order.instance, order.comment) == (instance, comment):
                return identifier
        return None

    def end(self, command: str, status: str, *steps: StepResult) -> None:
        """Let a command end."""
        self.ended[command] = (status, steps)

    def look(self, command: str, instance: str) -> CommandFacts | None:
        if command not in self.ended:
            return CommandFacts("InProgress", "", ()) if command in self.sent else None
        status, steps = self.ended[command]
        return CommandFacts(status, status, steps)

    def output(self, command: str, instance: str, step: str) -> StepResult:
        if command not in self.ended:
            raise AwsBusy(f"command {command} is not known on {instance} yet")
        found = next((found for found in self.ended[command][1] if found.name == step), None)
        if found is None:
            raise AwsRefused("ssm", "GetCommandInvocation", "InvalidPluginName", step)
        return found


@dataclass
class FakeParameters:
    """Parameter Store. With `lazy`, a pointer shows its new value only when it is read again."""

    values: dict[str, str] = field(default_factory=dict)
    lazy: bool = False

    def read(self, name: str) -> str | None:
        return self.values.get(name)

    def point(self, name: str, image: str) -> None:
        if not self.lazy:
            self.values[name] = image


@dataclass
class FakeScripts:
    """Scripts in S3."""

    texts: dict[str, str] = field(default_factory=dict)

    def read(self, uri: str, version: str | None) -> str:
        if uri not in self.texts:
            raise InvalidBlueprint(f"script.s3: {uri} cannot be read (NoSuchKey)")
        return self.texts[uri]


class FakeRecords:
    """What Kiln knows, in dictionaries."""

    def __init__(self) -> None:
        self._blueprints: dict[str, list[dict[str, Any]]] = {}
        self._stacks: dict[str, Stack] = {}
        self._bakes: dict[str, BakeRecord] = {}
        self._images: dict[str, ImageRecord] = {}
        self._claims: dict[str, str] = {}
        self._tokens: dict[tuple[str, str], WaitingToken] = {}
        self._rollouts: dict[tuple[str, str], Rollout] = {}
        self._instances: dict[tuple[str, str], LayerInstance] = {}
        self._holds: dict[str, set[str]] = {}

    def put_blueprint(self, name: str, document: dict[str, Any]) -> int:
        versions = self._blueprints.setdefault(name, [])
        if not versions or versions[-1] != document:
            versions.append(document)
        return len(versions)

    def blueprint(self, name: str, version: int | None) -> tuple[int, dict[str, Any]] | None:
        versions = self._blueprints.get(name, [])
        number = len(versions) if version is None else version
        return (number, versions[number - 1]) if 0 < number <= len(versions) else None

    def blueprints(self) -> tuple[str, ...]:
        return tuple(sorted(self._blueprints))

    def put_stack(self, stack: Stack) -> None:
        self._stacks[stack.name] = stack

    def stack(self, name: str) -> Stack | None:
        return self._stacks.get(name)

    def stacks(self) -> tuple[Stack, ...]:
        return tuple(self._stacks[name] for name in sorted(self._stacks))

    def add_bake(self, record: BakeRecord) -> bool:
        new = record.plan.bake not in self._bakes
        self._bakes.setdefault(record.plan.bake, record)
        return new

    def bake(self, bake: str) -> BakeRecord | None:
        return self._bakes.get(bake)

    def bakes(self, blueprint: str) -> tuple[BakeRecord, ...]:
        names = sorted(name for name in self._bakes if blueprint_of(name) == blueprint)
        return tuple(self._bakes[name] for name in names)

    def update_bake(self, record: BakeRecord) -> None:
        self._bakes[record.plan.bake] = record

    def put_image(self, record: ImageRecord) -> None:
        self._images[record.id] = record

    def image(self, image: str) -> ImageRecord | None:
        return self._images.get(image)

    def images(self, blueprint: str) -> tuple[ImageRecord, ...]:
        found = (image for image in self._images.values() if image.blueprint == blueprint)
        return tuple(sorted(found, key=lambda image: image.bake))

    def claim(self, key: str, value: str) -> str:
        return self._claims.setdefault(key, value)

    def claimed(self, key: str) -> str | None:
        return self._claims.get(key)

    def keep_token(self, resource: str, token: WaitingToken) -> None:
        self._tokens[resource, f"{token.wait.bake}#{token.state}"] = token

    def tokens(self, resource: str) -> tuple[WaitingToken, ...]:
        return tuple(token for (name, _), token in self._tokens.items() if name == resource)

    def drop_token(self, resource: str, token: WaitingToken) -> None:
        key = resource, f"{token.wait.bake}#{token.state}"
        if self._tokens.get(key) == token:
            del self._tokens[key]

    def add_rollout(self, rollout: Rollout) -> bool:
        new = (rollout.image, rollout.layer) not in self._rollouts
        self._rollouts.setdefault((rollout.image, rollout.layer), rollout)
        return new

    def rollout(self, image: str, layer: str) -> Rollout | None:
        return self._rollouts.get((image, layer))

    def rollouts(self, image: str) -> tuple[Rollout, ...]:
        found = (rollout for (name, _), rollout in self._rollouts.items() if name == image)
        return tuple(sorted(found, key=lambda rollout: rollout.layer))

    def update_rollout(self, rollout: Rollout) -> None:
        self._rollouts[rollout.image, rollout.layer] = rollout

    def put_instance(self, instance: LayerInstance) -> None:
        self._instances[instance.stack, instance.id] = instance

    def instances(self, stack: str) -> tuple[LayerInstance, ...]:
        found = (entry for (name, _), entry in self._instances.items() if name == stack)
        return tuple(sorted(found, key=lambda entry: entry.id))

    def remove_instance(self, instance: LayerInstance) -> None:
        self._instances.pop((instance.stack, instance.id), None)

    def hold_healing(self, layer: str, bake: str) -> None:
        self._holds.setdefault(layer, set()).add(bake)

    def release_healing(self, layer: str, bake: str) -> None:
        self._holds.get(layer, set()).discard(bake)

    def healing_holds(self, layer: str) -> set[str]:
        split_layer(layer)
        return set(self._holds.get(layer, set()))


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

    def start_rollout(self, name: str, payload: dict[str, Any]) -> bool:
        if name in self.started:
            return False
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
    records: FakeRecords = field(default_factory=FakeRecords)
    bus: FakeBus = field(default_factory=FakeBus)
    machines: FakeMachines = field(default_factory=FakeMachines)
    clock: FakeClock = field(default_factory=FakeClock)
    subnets: tuple[str, ...] = ()

    @property
    def world(self) -> World:
        """The world of a step."""
        return World(
            self.fleet,
            self.images,
            self.commands,
            self.parameters,
            self.scripts,
            self.records,
            self.bus,
            self.machines,
            self.clock,
            Settings("eu-west-1", self.subnets),
        )
