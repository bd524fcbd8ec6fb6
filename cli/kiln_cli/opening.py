"""Opening the place that a command's options name, and putting the stacks there that it needs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kiln_cli.applying import apply_stack
from kiln_cli.baking import Pace, backing_off
from kiln_cli.files import read_stack
from kiln_cli.ledgers import AccountLedger, Ledger
from kiln_cli.place import Place, account
from kiln_cli.project import default_stacks, project_root


@dataclass(frozen=True)
class Opened:
    """A place, what it can tell of a bake, and how to wait there."""

    place: Place
    ledger: Ledger
    pace: Pace


def at_account(stack_name: str) -> Opened:
    """The account and Region of the environment."""
    place = account(stack_name)
    return Opened(place, AccountLedger(place), Pace(time.sleep, backing_off))


@contextmanager
def opened(given: dict[str, Any]) -> Iterator[Opened]:
    """The local AWS or the account."""
    if given["local"]:
        from kiln_cli.local import Trouble, local_place

        trouble = Trouble(given.get("faults"), given.get("throttle", False))
        root = given["project"] or project_root()
        with local_place(root, given["speed"], trouble) as local:
            yield local
    else:
        yield at_account(given["stack_name"])


def apply_stacks(given: dict[str, Any], path: Path | None, place: Place) -> None:
    """Apply the stacks that are named; locally, where none is named, those of the project."""
    named = given["stacks"]
    if not named and given["local"] and path:
        named = default_stacks(path)
    for file in [read_stack(stack) for stack in named]:
        apply_stack(file, place.world)
