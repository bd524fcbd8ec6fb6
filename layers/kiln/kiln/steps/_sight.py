"""What one look sees of everything that it is to look at: each kind of thing asked for once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiln.domain.waiting import (
    CommandDone,
    ImageAvailable,
    InstanceGone,
    InstanceOnline,
    InstanceRunning,
    InstanceStopped,
    Wait,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kiln.domain.image import ImageFacts
    from kiln.ports import CommandFacts, InstanceFacts, World

InstanceWait = InstanceOnline | InstanceRunning | InstanceStopped | InstanceGone
# Run Command's own names (SSM API, CommandInvocation, Status).
UNDER_WAY = frozenset({"Pending", "InProgress", "Delayed", "Cancelling"})


class Sight:
    """Instances, agents, commands and images as they are now, for some waits. What is not asked
    for is not looked at. Every method may raise AwsBusy or AwsRefused."""

    def __init__(self, waits: Iterable[Wait], world: World) -> None:
        self._waits = tuple(waits)
        self._world = world
        # Not cached_property: before Python 3.12 its lock is one for all objects of a class.
        self._commands: dict[tuple[str, str], CommandFacts | None] | None = None
        self._instances: dict[str, InstanceFacts] | None = None
        self._online: set[str] | None = None
        self._images: dict[tuple[str | None, str], ImageFacts] | None = None

    def open(self) -> None:
        """Look at everything that is looked at for many at once."""
        for wait in self._waits:
            if isinstance(wait, InstanceOnline):
                self.online(wait.instance)
            elif isinstance(wait, ImageAvailable):
                self.image(wait)
            elif isinstance(wait, InstanceWait):
                self.instance(wait.instance)

    def instance(self, instance: str) -> InstanceFacts | None:
        """An instance, None where EC2 does not know it (yet, or any more)."""
        if self._instances is None:
            self._instances = self._look_at_instances()
        return self._instances.get(instance)

    def online(self, instance: str) -> bool:
        """Whether an instance's agent answers."""
        if self._online is None:
            self._online = self._look_at_agents()
        return instance in self._online

    @property
    def boots(self) -> bool:
        """Whether it shows an instance that runs and whose agent is waited for in vain yet."""
        online = self._online
        if online is None:
            return False
        waits = (wait for wait in self._waits if isinstance(wait, InstanceOnline))
        return any(self._runs(wait.instance) and wait.instance not in online for wait in waits)

    def command(self, wait: CommandDone) -> CommandFacts | None:
        """An invocation, None where it has not been delivered yet."""
        return self._all_commands()[wait.command, wait.instance]

    def image(self, wait: ImageAvailable) -> ImageFacts | None:
        """An image, None where the account cannot see it."""
        if self._images is None:
            self._images = self._look_at_images()
        return self._images.get((wait.region, wait.image))

    def _all_commands(self) -> dict[tuple[str, str], CommandFacts | None]:
        """One call a command: ListCommandInvocations takes one id or none, and without one it
        lists every command of the account."""
        if self._commands is None:
            waits = (wait for wait in self._waits if isinstance(wait, CommandDone))
            wanted = {(wait.command, wait.instance) for wait in waits}
            self._commands = {pair: self._world.commands.look(*pair) for pair in sorted(wanted)}
        return self._commands

    def _look_at_instances(self) -> dict[str, InstanceFacts]:
        """Looked at after the commands: an instance that a command shuts down begins to stop
        before the command's own end is told."""
        fleet, commands = self._world.fleet, self._all_commands()
        wanted = {wait.instance for wait in self._waits if isinstance(wait, InstanceWait)}
        wanted |= {instance for (_, instance), facts in commands.items() if _is_open(facts)}
        if len(wanted) == 1:
            found = (fleet.describe(*wanted),)
            return {known.id: known for known in found if known}
        return {known.id: known for known in fleet.all_of(sorted(wanted))} if wanted else {}

    def _look_at_agents(self) -> set[str]:
        waits = (wait for wait in self._waits if isinstance(wait, InstanceOnline))
        running = {wait.instance for wait in waits if self._runs(wait.instance)}
        if len(running) == 1:
            return {name for name in running if self._world.commands.online(name)}
        pings = self._world.agents.pings(sorted(running)) if running else {}
        return {name for name, ping in pings.items() if ping.online}

    def _runs(self, instance: str) -> bool:
        known = self.instance(instance)
        return known is not None and known.state == "running"

    def _look_at_images(self) -> dict[tuple[str | None, str], ImageFacts]:
        wanted: dict[str | None, set[str]] = {}
        for wait in self._waits:
            if isinstance(wait, ImageAvailable):
                wanted.setdefault(wait.region, set()).add(wait.image)
        return {
            (region, image.id): image
            for region, names in wanted.items()
            for image in self._described(region, names)
        }

    def _described(self, region: str | None, names: set[str]) -> tuple[ImageFacts, ...]:
        world = self._world
        images = world.regions.at(region).images if region else world.images
        if len(names) > 1:
            return images.all_of(sorted(names))
        found = images.describe(*names)
        return (found,) if found else ()


def _is_open(facts: CommandFacts | None) -> bool:
    """Whether an instance says more of a command than the command itself."""
    return facts is None or facts.status != "Success"
