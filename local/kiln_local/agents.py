"""The Systems Manager agents of the instances: who answers, when it was last heard of, and faults
of them on request.

A managed node whose agent has not pinged for five minutes is no longer Online but ConnectionLost
(Systems Manager User Guide, "SSM Agent": a health ping every five minutes; PingStatus's values
are botocore's). That an orderly stop is seen at once, and that a terminated instance is no
longer listed, is assumed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from kiln_local.clock import SimClock

LOST_AFTER_S = 300.0


@dataclass
class Agent:
    """One agent. `runs` is whether its process does, `reaches` is set while Systems Manager hears
    of it; `heard` is when it last did, None before the first time."""

    reaches: threading.Event
    runs: bool = False
    for_good: bool = False
    heard: datetime | None = None


@dataclass
class Agents:
    """All agents of one local AWS. Safe for threads."""

    clock: SimClock
    kill: Callable[[str], None] = lambda _: None
    _agents: dict[str, Agent] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    # ------------------------------------------------------------ faults on request

    def silence(self, instance: str, for_good: bool = False) -> None:
        """The agent stops answering, EC2 goes on saying running. A stop and a start bring it back,
        unless it is for good. One that has not come up yet never reports."""
        with self._lock:
            agent = self._agent(instance)
            self._hear(agent)
            agent.reaches.clear()
            agent.for_good = for_good

    def speak(self, instance: str) -> None:
        """The agent answers again."""
        with self._lock:
            agent = self._agent(instance)
            agent.for_good = False
            agent.reaches.set()
            self._hear(agent)

    def die(self, instance: str) -> None:
        """The instance is terminated from outside, in the middle of whatever runs there: of a
        command in progress nobody hears again."""
        self.kill(instance)

    # ------------------------------------------------------------ for EC2

    def come(self, instance: str) -> None:
        """The agent's process starts, as it does with every boot."""
        with self._lock:
            agent = self._agent(instance)
            agent.runs = True
            if not agent.for_good:
                agent.reaches.set()
            self._hear(agent)

    def go(self, instance: str) -> None:
        """The agent's process ends with its system."""
        with self._lock:
            agent = self._agent(instance)
            self._hear(agent)
            agent.runs = False

    def forget(self, instance: str) -> None:
        """The instance is terminated."""
        with self._lock:
            agent = self._agents.pop(instance, None)
            if agent:
                agent.reaches.clear()

    # ------------------------------------------------------------ for Systems Manager

    def known(self) -> list[str]:
        """Instances whose agent has been heard of, by id."""
        with self._lock:
            return sorted(name for name, agent in self._agents.items() if agent.heard)

    def online(self, instance: str) -> bool:
        """Whether Systems Manager calls it Online."""
        with self._lock:
            agent, heard = self._agents.get(instance), self.heard(instance)
        if agent is None or heard is None or not agent.runs:
            return False
        return (self.clock.now() - heard).total_seconds() < LOST_AFTER_S

    def heard(self, instance: str) -> datetime | None:
        """When an agent was last heard of; None for one that never was, or whose instance has been
        terminated meanwhile."""
        with self._lock:
            agent = self._agents.get(instance)
            if agent is None:
                return None
            self._hear(agent)
            return agent.heard

    def reached(self, instance: str, by: datetime) -> bool:
        """Wait until an agent can be talked to, and say whether that was so in time. Of what was
        terminated nothing is heard, however long one waits."""
        left = (by - self.clock.now()).total_seconds()
        agent = self._agents.get(instance)
        if agent is None:
            self.clock.sleep(left)
            return False
        # What is set when its time is over was answered in time: the wait returns at once.
        return agent.reaches.wait(max(0.0, left))

    def _agent(self, instance: str) -> Agent:
        return self._agents.setdefault(instance, self._made())

    def _made(self) -> Agent:
        reaches = self.clock.crew.Event()
        reaches.set()
        return Agent(reaches)

    def _hear(self, agent: Agent) -> None:
        if agent.runs and agent.reaches.is_set():
            agent.heard = self.clock.now()
