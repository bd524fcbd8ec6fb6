"""What the steps of a bake said, as Run Command shows it: a step's output is there when it has
ended, and secrets of the blueprint are three asterisks in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from kiln.domain.bake import BakeRecord
from kiln.domain.confidential import masked
from kiln.errors import AwsRefused
from kiln.steps._masking import secrets_of_bake
from kiln.steps._output import MOST_STDOUT
from kiln_cli.history import Event, sent_commands
from kiln_cli.ledgers import invocations
from kiln_cli.place import Place
from kiln_cli.result import CommandOutcome

# What documents of Kiln's own print for Kiln to read; people get it as tables.
_DATA_STEPS = {"facts", "packages"}
_UNDER_WAY = ("Pending", "InProgress", "Delayed", "Cancelling")


@dataclass(frozen=True)
class Said:
    """What one step of a document printed; `key` is where all of it lies if this is not all."""

    step: str
    exit_code: int | None
    stdout: str
    stderr: str
    key: str = ""

    @property
    def cut(self) -> bool:
        """Whether this is only the beginning."""
        return bool(self.key) and len(self.stdout.encode()) >= MOST_STDOUT


@dataclass(frozen=True)
class Document:
    """A document that ran on an instance, with the words of the blueprint for it."""

    label: str
    purpose: str
    outcome: CommandOutcome
    said: tuple[Said, ...]

    @property
    def failed(self) -> bool:
        """Whether its output is why the bake failed, perhaps."""
        return self.outcome.status != "Success" and not self.open

    @property
    def open(self) -> bool:
        """Whether more may come."""
        return self.outcome.status in _UNDER_WAY


class Outputs:
    """The documents of one bake. What has ended is asked for once."""

    def __init__(self, place: Place, record: BakeRecord | None) -> None:
        self._place = place
        self._secrets = secrets_of_bake(record) if record else set()
        self._ended: dict[str, tuple[Document, ...]] = {}

    def of(self, events: Iterable[Event]) -> tuple[Document, ...]:
        """Those that a history names, in the order in which they were sent."""
        return tuple(doc for sent in sent_commands(events) for doc in self._of(sent))

    def _of(self, sent: dict[str, Any]) -> tuple[Document, ...]:
        command = sent["command"]
        if command in self._ended:
            return self._ended[command]
        found = tuple(self._look(sent))
        if not any(document.open for document in found):
            self._ended[command] = found
        return found

    def _look(self, sent: dict[str, Any]) -> Iterator[Document]:
        try:
            outcomes = invocations(self._place.client("ssm"), sent)
        except AwsRefused:  # Run Command forgets after 30 days
            return
        for outcome in outcomes:
            said = tuple(self._said(outcome, sent))
            yield Document(sent["label"], sent["purpose"], outcome, said)

    def _said(self, outcome: CommandOutcome, sent: dict[str, Any]) -> Iterator[Said]:
        commands = self._place.world.commands
        for step in outcome.steps:
            if step.name in _DATA_STEPS or step.exit_code is None:
                continue
            try:
                output = commands.output(sent["command"], sent["instance"], step.name)
            except AwsRefused:
                continue
            stdout, stderr = (masked(t, self._secrets) for t in (output.stdout, output.stderr))
            yield Said(step.name, step.exit_code, stdout, stderr, output.stdout_key)
