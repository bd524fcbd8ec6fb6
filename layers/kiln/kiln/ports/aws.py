"""AWS's services, as far as a step needs them.

Every method may raise AwsBusy (try again later) or AwsRefused (for good, with AWS's code); what
else one may raise is said there. Times are aware and UTC, sizes and durations carry their unit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from kiln.domain.documents import DocumentCall
    from kiln.domain.events import Event
    from kiln.domain.fit import TypeFacts
    from kiln.domain.image import ImageFacts
    from kiln.domain.platforms import ImageName
    from kiln.ports.ec2 import ImageOrder, InstanceFacts, LaunchOrder


@dataclass(frozen=True)
class CommandOrder:
    """One SendCommand call. `comment` is unique to it, so that it can be found again."""

    instance: str
    call: DocumentCall
    comment: str
    output_prefix: str


@dataclass(frozen=True)
class StepResult:
    """One step of a document on one instance; each key names the whole output in the bucket."""

    name: str
    status: str
    exit_code: int
    stdout: str = ""
    stderr: str = ""
    stdout_key: str = ""
    stderr_key: str = ""


@dataclass(frozen=True)
class CommandFacts:
    """One invocation: `status` as Run Command names it (Pending, InProgress, Success, ...)."""

    status: str
    detail: str
    steps: tuple[StepResult, ...]


class Clock(Protocol):
    """The time."""

    def now(self) -> datetime:
        """Now, aware, UTC."""
        ...

    def sleep(self, seconds: float) -> None:
        """Return so many seconds later."""
        ...


class Fleet(Protocol):
    """EC2's instances."""

    def launch(self, order: LaunchOrder) -> str:
        """The id of the launched instance; the same token gives the same one. CapacityShort."""
        ...

    def describe(self, instance: str) -> InstanceFacts | None:
        """One instance, None where EC2 does not know it (yet, or any more)."""
        ...

    def all_of(self, instances: Iterable[str]) -> tuple[InstanceFacts, ...]:
        """These instances, in any order; ids that EC2 does not know are left out."""
        ...

    def of_bake(self, bake: str) -> tuple[InstanceFacts, ...]:
        """Instances with the bake's tag that are not terminated or about to be."""
        ...

    def of_change(self, change: str) -> tuple[InstanceFacts, ...]:
        """Instances that this change of a layer's instance launched, and that are not terminated or
        about to be."""
        ...

    def resize(self, instance: str, instance_type: str) -> None:
        """Change the type of a stopped instance."""
        ...

    def start(self, instance: str) -> None:
        """Ask for a stopped instance to start; asking again is harmless. CapacityShort."""
        ...

    def stop(self, instance: str, force: bool = False) -> None:
        """Ask for a stop, with `force` of a system that does not go down; again is harmless."""
        ...

    def terminate(self, instances: Iterable[str]) -> None:
        """Ask for termination; ids that are gone are passed over."""
        ...

    def volumes_of_bake(self, bake: str) -> tuple[str, ...]:
        """Volumes with the bake's tag that are attached to nothing."""
        ...

    def delete_volume(self, volume: str) -> None:
        """Delete a volume; one that is gone is passed over."""
        ...

    def types(self, names: Iterable[str]) -> tuple[TypeFacts, ...]:
        """Facts of instance types, in the order asked; names that EC2 does not know are left
        out."""
        ...


class Images(Protocol):
    """EC2's images with their snapshots."""

    def describe(self, image: str) -> ImageFacts | None:
        """One image, None where the account cannot see it."""
        ...

    def all_of(self, images: Iterable[str]) -> tuple[ImageFacts, ...]:
        """These images of the account's own, in any order; ids that it does not have are left
        out."""
        ...

    def newest(self, pattern: ImageName, *, deprecated: bool = False) -> ImageFacts | None:
        """The newest available image of an owner by name pattern, deprecated ones too if asked."""
        ...

    def named(self, name: str) -> ImageFacts | None:
        """The account's own image of that name."""
        ...

    def of_bake(self, bake: str) -> tuple[ImageFacts, ...]:
        """The account's own images with the bake's tag."""
        ...

    def create(self, order: ImageOrder) -> str:
        """The id of a new image. AwsRefused InvalidAMIName.Duplicate."""
        ...

    def deregister(self, image: str) -> None:
        """Deregister an image and delete its snapshots; one that is gone is passed over."""
        ...

    def snapshots_of_bake(self, bake: str) -> tuple[str, ...]:
        """Snapshots with the bake's tag."""
        ...

    def delete_snapshot(self, snapshot: str) -> None:
        """Delete a snapshot; one that is gone is passed over."""
        ...

    def tag(self, resources: Iterable[str], tags: dict[str, str]) -> None:
        """Put tags on images and snapshots."""
        ...

    def deprecate(self, image: str, at: datetime) -> None:
        """Set the time from which the image counts as deprecated."""
        ...


class Commands(Protocol):
    """Systems Manager: agents and Run Command."""

    def online(self, instance: str) -> bool:
        """Whether the instance's agent answers."""
        ...

    def send(self, order: CommandOrder) -> str:
        """Send a document; the command's id."""
        ...

    def find(self, instance: str, comment: str) -> str | None:
        """The id of a command sent earlier with this comment."""
        ...

    def look(self, command: str, instance: str) -> CommandFacts | None:
        """The invocation, None where it has not been delivered yet."""
        ...

    def output(self, command: str, instance: str, step: str) -> StepResult:
        """One step with the beginning of its output: 24,000 and 8,000 characters at most."""
        ...


class Parameters(Protocol):
    """Parameter Store."""

    def read(self, name: str) -> str | None:
        """A parameter's value, None where there is none."""
        ...

    def read_all(self, names: Iterable[str]) -> dict[str, str]:
        """The values of parameters by name; those that are not there are left out."""
        ...

    def point(self, name: str, image: str) -> None:
        """Write an image's id under a name, data type aws:ec2:image."""
        ...


class Scripts(Protocol):
    """Scripts that users keep in S3."""

    def read(self, uri: str, version: str | None) -> str:
        """The object's text. InvalidBlueprint where it cannot be read or is no UTF-8 text."""
        ...


class Objects(Protocol):
    """Kiln's own bucket."""

    def read(self, key: str) -> bytes | None:
        """An object's content, None where there is none."""
        ...

    def end(self, key: str, size: int) -> bytes:
        """An object's last bytes."""
        ...

    def write(self, key: str, body: bytes, media_type: str) -> None:
        """Write an object whole."""
        ...

    def link(self, key: str, seconds: int) -> str:
        """An https address that reads an object without credentials for so long."""
        ...


class Bundles(Protocol):
    """The bucket of instance-store bundles."""

    def location(self, bake: str) -> str:
        """Where a bake's bundle lies, `bucket/prefix` as RegisterImage takes it, without the
        manifest's name."""
        ...

    def size(self, location: str) -> int:
        """How many bytes all parts have, the manifest among them."""
        ...

    def remove(self, location: str) -> None:
        """Remove every part and the manifest; ones that are gone are passed over."""
        ...


class Bus(Protocol):
    """Kiln's event bus."""

    def publish(self, event: Event) -> None:
        """Announce an event."""
        ...
