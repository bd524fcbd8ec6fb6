"""`kiln apply`: put blueprints and stacks into the table; the same again changes nothing."""

from __future__ import annotations

from dataclasses import dataclass

from kiln.ports import World
from kiln_cli.files import BlueprintFile, StackFile


@dataclass(frozen=True)
class Applied:
    """What became of one file: `change` is new, changed or unchanged."""

    kind: str
    name: str
    change: str
    version: int


def apply_file(file: BlueprintFile | StackFile, world: World) -> Applied:
    """Store one file."""
    return apply_stack(file, world) if isinstance(file, StackFile) else apply_blueprint(file, world)


def apply_blueprint(file: BlueprintFile, world: World) -> Applied:
    """Store a blueprint; a new version only where it differs from the latest."""
    name = file.blueprint.name
    before = world.records.blueprint(name, None)
    version = world.records.put_blueprint(name, file.document)
    same = before is not None and before[0] == version
    return Applied("blueprint", name, _change(before is not None, same), version)


def apply_stack(file: StackFile, world: World) -> Applied:
    """Store a stack where it differs."""
    before = world.records.stack(file.stack.name)
    if before != file.stack:
        world.records.put_stack(file.stack)
    # A stack has no versions: its instances belong to it as it is now.
    return Applied("stack", file.stack.name, _change(before is not None, before == file.stack), 0)


def _change(known: bool, same: bool) -> str:
    if not known:
        return "new"
    return "unchanged" if same else "changed"
