"""`kiln apply`: put blueprints and stacks into the table; the same again changes nothing.

First every file is planned, then all are stored: what is refused leaves everything as it was.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from kiln.domain.instance import InstanceState, LayerInstance
from kiln.errors import AwsBusy, InvalidBlueprint, InvalidRequest
from kiln.ports import World
from kiln.steps._hooks import GroupChange, check_groups, group_changes, make_so
from kiln.steps._instances import change_instance, enter, remove
from kiln_cli import planned
from kiln_cli.difference import Difference, differences
from kiln_cli.files import BlueprintFile, StackFile


@dataclass(frozen=True)
class Applied:
    """What becomes of one file: `change` is new, changed or unchanged; `executions` are those that
    delete instances which left the file, by the instances' own ids."""

    kind: str
    name: str
    change: str
    version: int
    difference: tuple[Difference, ...] = ()
    executions: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "kind": self.kind,
            "name": self.name,
            "change": self.change,
            "version": self.version,
            "difference": [vars(row) for row in self.difference],
        }


@dataclass(frozen=True)
class FilePlan:
    """A file and what storing it would do."""

    file: BlueprintFile | StackFile
    applied: Applied
    records: planned.Planned | None = None
    groups: tuple[GroupChange, ...] = ()


def plan_files(files: Iterable[BlueprintFile | StackFile], world: World) -> list[FilePlan]:
    """What storing these files would do. InvalidRequest that begins with the file's name."""
    found: dict[tuple[str, str], FilePlan] = {}
    for file in files:
        plan = plan_file(file, world)
        key = plan.applied.kind, plan.applied.name
        if key in found:
            raise InvalidRequest(
                f"{file.path}: {key[0]} {key[1]} is in {found[key].file.path} too; name one of them"
            )
        found[key] = plan
    return list(found.values())


def plan_file(file: BlueprintFile | StackFile, world: World) -> FilePlan:
    """What storing a file would do."""
    return _stack(file, world) if isinstance(file, StackFile) else _blueprint(file, world)


def _blueprint(file: BlueprintFile, world: World) -> FilePlan:
    name = file.blueprint.name
    version, before = world.records.blueprint(name, None) or (0, None)
    same = before == file.document
    rows = () if same or before is None else tuple(differences(before, file.document))
    applied = Applied(
        "blueprint", name, _change(before is not None, same), version + (not same), rows
    )
    return FilePlan(file, applied)


def _stack(file: StackFile, world: World) -> FilePlan:
    before = world.records.stack(file.stack.name)
    try:
        records = planned.plan(file.stack, before, world)
        check_groups(file.stack, world)
    except (InvalidBlueprint, InvalidRequest) as error:
        raise InvalidRequest(f"{file.path}: {error}") from error
    groups = group_changes(file.stack, before, world)
    rows = (*_rows_of_stack(file, world, records), *_rows_of_groups(groups))
    same = before == file.stack and not records.rows and not groups
    # A stack has no versions: its instances belong to it as it is now.
    applied = Applied("stack", file.stack.name, _change(before is not None, same), 0, rows)
    return FilePlan(file, applied, records, groups)


def _rows_of_groups(groups: tuple[GroupChange, ...]) -> tuple[Difference, ...]:
    found = []
    for change in groups:
        hooks = f"groups.{change.group}.hooks"
        if change.tags:
            found.append(Difference(f"groups.{change.group}.tags", "added", new=change.tags))
        if change.put:
            found.append(Difference(f"{hooks}.{change.put.name}", "added", new=vars(change.put)))
        if change.remove:
            found.append(Difference(f"{hooks}.{change.remove}", "removed", old=change.remove))
        if change.forget:
            path = f"groups.{change.group}.instances.{change.forget.hostname}"
            found.append(Difference(path, "removed", old=change.forget.id))
    return tuple(found)


def _rows_of_stack(
    file: StackFile, world: World, records: planned.Planned
) -> tuple[Difference, ...]:
    before = world.records.stack(file.stack.name)
    new = file.stack.model_dump(mode="json")
    nothing = {"kind": new["kind"], "name": new["name"], "custom_json": {}, "layers": []}
    old = before.model_dump(mode="json") if before else nothing
    paths = {row.path for row in records.rows}
    mine = (row for row in differences(old, new) if row.path not in paths)
    return (*mine, *records.rows)


def carry_out(plan: FilePlan, world: World) -> Applied:
    """Store a file as it was planned."""
    if isinstance(plan.file, BlueprintFile):
        world.records.put_blueprint(plan.file.blueprint.name, plan.file.document)
        return plan.applied
    if plan.applied.change != "unchanged":
        world.records.put_stack(plan.file.stack)
    records = plan.records or planned.Planned()
    for entry in records.added:
        world.records.add_instance(entry)
    for _, after in records.changed:
        if world.records.replace_instance(after) is None:
            raise AwsBusy(f"the record of {after.hostname} changed just now; apply again")
    # Once the stack is stored: their events find their layer in it.
    make_so(plan.groups, world)
    executions = {entry.id: name for entry in records.removed if (name := _removed(entry, world))}
    return Applied(**{**vars(plan.applied), "executions": executions})


def _removed(entry: LayerInstance, world: World) -> str | None:
    """Delete an instance; the execution that does, where EC2 has something to delete."""
    if entry.ec2_id:
        return change_instance(entry, "delete", world)
    for state in (InstanceState.TERMINATING, InstanceState.TERMINATED):
        entry = enter(entry, state, world, "user")
    remove(entry, world)
    return None


def apply_file(file: BlueprintFile | StackFile, world: World) -> Applied:
    """Plan and store one file."""
    return carry_out(plan_file(file, world), world)


def apply_blueprint(file: BlueprintFile, world: World) -> Applied:
    """Store a blueprint; a new version only where it differs from the latest."""
    return apply_file(file, world)


def apply_stack(file: StackFile, world: World) -> Applied:
    """Store a stack where it differs, and write down the instances that it plans."""
    return apply_file(file, world)


def _change(known: bool, same: bool) -> str:
    if not known:
        return "new"
    return "unchanged" if same else "changed"
