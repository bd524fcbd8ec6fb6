"""A machine room, the documents as they stand in the repository, and a bake's steps on real files.

Nothing here judges: tests do. Trees lie in memory where the machine has some to spare, because a
copy of one is then ten times as fast.
"""

from __future__ import annotations

import base64
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from kiln.domain.identity import Facts, parse_facts
from kiln_local.machines import Birth, DocumentRun, MachineRoom, RunOrder, StepRun

ROOT = Path(__file__).parents[2]
BUILDER, CLONE = "i-0builder", "i-0clone"
Document = dict[str, Any]


def text_of(name: str) -> str:
    """A document's text: `clean-linux`, `run-shell`."""
    return (ROOT / "documents" / f"kiln-{name}.yaml").read_text()


def parsed(text: str) -> Document:
    """A document's text as the agent reads it."""
    document: Document = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return document


DOCUMENTS = {
    name: parsed(text_of(name))
    for name in ("run-shell", "reboot-linux", "prepare-linux", "clean-linux", "verify-linux")
}


def encoded(lines: Iterable[str]) -> str:
    """Base64 of lines, as parameters carry paths."""
    return base64.b64encode("\n".join(lines).encode()).decode()


@dataclass(frozen=True)
class Row:
    """A platform, the Chef version that a blueprint names, and the paths it adds and spares."""

    platform: str
    chef: str = "none"
    also_remove: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()

    @property
    def known_chef(self) -> str | None:
        return None if self.chef == "none" else self.chef

    @property
    def parameters(self) -> dict[str, str]:
        return {
            "Platform": self.platform,
            "Chef": self.chef,
            "AlsoRemove": encoded(self.also_remove),
            "Keep": encoded(self.keep),
        }


@dataclass(frozen=True)
class Verified:
    """What the verification of a clone said."""

    run: DocumentRun
    facts: Facts

    @property
    def leftovers(self) -> list[str]:
        mark = "left over: "
        said = step_of(self.run, "leftovers").stdout.splitlines()
        return [line.removeprefix(mark) for line in said if line.startswith(mark)]


def step_of(run: DocumentRun, name: str) -> StepRun:
    """One step of a run. KeyError where an earlier step ended the document."""
    return {step.name: step for step in run.steps}[name]


def facts_of(run: DocumentRun) -> Facts:
    """The identity facts that a run printed; none where it ended before."""
    return next((parse_facts(s.stdout) for s in run.steps if s.name == "facts"), {})


class Bakery:
    """Instances of one machine room, and Kiln's documents run on them."""

    def __init__(self, home: Path) -> None:
        self.room = MachineRoom(home)
        self._prepared: dict[Row, Facts] = {}
        self._cleaned: set[str] = set()
        self.reboots = 0

    def start(self, row: Row, instance: str = BUILDER, image: str | None = None) -> str:
        """A running instance: of a base, as OpsWorks made it where the row names a Chef version,
        or of an image. A clone has no key pair, as Kiln launches it."""
        chef = None if image or row.chef == "none" else row.chef
        if image is None:
            image = f"base-{row.platform}"
            self.room.add_base_image(image, row.platform)
        number = 20 if instance == CLONE else 10
        name = f"ip-10-0-0-{number}.eu-west-1.compute.internal"
        key = None if instance == CLONE else "somebody"
        self.room.create(
            Birth(instance, row.platform, "x86_64", f"10.0.0.{number}", name, chef, key), image
        )
        self.room.boot(instance)
        return instance

    def shared(self, row: Row) -> str:
        """An instance for tests that change nothing on it; it runs until the end."""
        instance = f"i-0shared-{row.platform}"
        return instance if self.room.running(instance) else self.start(row, instance)

    def stop(self, *instances: str) -> None:
        for instance in instances:
            self.room.destroy(instance)

    def run(self, instance: str, document: str | Document, **parameters: str) -> DocumentRun:
        """Run a document, by name or changed, as the agent does."""
        content = DOCUMENTS[document] if isinstance(document, str) else document
        order = RunOrder(
            instance, "c-1", "kiln", content, {name: [value] for name, value in parameters.items()}
        )

        def reboot() -> None:
            self.reboots += 1
            self.room.shut_down(instance)
            self.room.boot(instance)

        return self.room.run(order, reboot)

    def prepare(self, row: Row, lock: str = "none", instance: str = BUILDER) -> DocumentRun:
        return self.run(instance, "prepare-linux", Platform=row.platform, ReleaseLock=lock)

    def clean(
        self, row: Row, document: Document | None = None, instance: str = BUILDER
    ) -> DocumentRun:
        return self.run(
            instance, document or "clean-linux", Bake="b-1", Blueprint="b", **row.parameters
        )

    def make_image(self, image: str) -> None:
        """Shut the builder down, copy it in place of an older image, and end it."""
        self.room.forget_image(image)
        self.room.shut_down(BUILDER)
        self.room.capture(BUILDER, image)
        self.stop(BUILDER)

    def verify(self, row: Row, image: str) -> Verified:
        """Boot a clone of an image and run the verification there; the clone stays."""
        self.start(row, CLONE, image)
        return self.verify_again(row)

    def verify_again(self, row: Row) -> Verified:
        """Verify the clone as it now is."""
        run = self.run(CLONE, "verify-linux", BuilderInstance=BUILDER, **row.parameters)
        return Verified(run, facts_of(run))

    def prepared(self, row: Row, plant: Callable[[Path], None]) -> tuple[str, Facts]:
        """An image of a prepared builder, made once, and the facts that the preparation printed."""
        image = f"prepared-{row.platform}-{row.chef}"
        if row not in self._prepared:
            self.start(row)
            plant(self.room.root(BUILDER))
            self._prepared[row] = facts_of(self.prepare(row))
            self.room.capture(BUILDER, image)
            self.stop(BUILDER)
        return image, self._prepared[row]

    def cleaned(self, row: Row, plant: Callable[[Path], None]) -> str:
        """An image as a bake without faults leaves it, made once."""
        image = f"cleaned-{row.platform}-{row.chef}-{len(row.also_remove)}"
        if image not in self._cleaned:
            self.start(row)
            plant(self.room.root(BUILDER))
            runs = (self.prepare(row), self.clean(row))
            assert [run.status for run in runs] == ["Success", "Success"], runs
            self.make_image(image)
            self._cleaned.add(image)
        return image

    def sh(self, instance: str, script: str) -> str:
        """What a shell on an instance prints."""
        return self.room.enter(instance, ["sh", "-c", script]).stdout.decode()


def roomy_folder() -> Path:
    """A folder for trees: in memory where there is space, else where temporary files go."""
    memory = Path("/dev/shm")
    usable = os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 256 * 2**20
    return Path(tempfile.mkdtemp(prefix="kiln-sandbox-", dir=memory if usable else None))
