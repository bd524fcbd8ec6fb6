"""`kiln apply`: put blueprints and stacks into the table; the same again changes nothing.

First every file is planned, then all are stored: what is refused leaves everything as it was.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from kiln.domain.cascade import base_in, circle
from kiln.domain.instance import InstanceState, LayerInstance
from kiln.domain.version import BlueprintVersion, check_storable, is_same
from kiln.errors import AwsBusy, InvalidBlueprint, InvalidRequest
from kiln.ports import World
from kiln.steps._hooks import GroupChange, check_groups, group_changes, make_so
from kiln.steps._instances import change_instance, enter, remove
from kiln.steps._versions import next_number, store
from kiln_cli import planned, scheduling
from kiln_cli.difference import Difference, differences
from kiln_cli.files import BlueprintFile, StackFile
from kiln_cli.place import Place


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
class Signature:
    """Whose a new version of a blueprint is, as an ARN, and what they say of it."""

    by: str
    message: str = ""


NOBODY = Signature("")


@dataclass(frozen=True)
class FilePlan:
    """A file and what storing it would do."""

    file: BlueprintFile | StackFile
    applied: Applied
    records: planned.Planned | None = None
    groups: tuple[GroupChange, ...] = ()


def plan_files(files: Iterable[BlueprintFile | StackFile], world: World) -> list[FilePlan]:
    """What storing these files would do. InvalidRequest that begins with the file's name."""
    files = tuple(files)
    _refuse_circles([file for file in files if isinstance(file, BlueprintFile)], world)
    found: dict[tuple[str, str], FilePlan] = {}
    for file in files:
        plan = _plan(file, world)
        key = plan.applied.kind, plan.applied.name
        if key in found:
            raise InvalidRequest(
                f"{file.path}: {key[0]} {key[1]} is in {found[key].file.path} too; name one of them"
            )
        found[key] = plan
    return list(found.values())


def _refuse_circles(files: list[BlueprintFile], world: World) -> None:
    """Refuse a blueprint that would be its own base in the end, as the files and what is stored
    have it together: each image of such a one would bake the next, for ever."""
    given = {file.blueprint.name: file.blueprint.base.blueprint for file in files}

    def base_of(name: str) -> str | None:
        if name in given:
            return given[name]
        stored = world.versions.get(name)
        return base_in(stored.document) if stored else None

    for file in files:
        if found := circle(file.blueprint.name, base_of):
            raise InvalidRequest(
                f"{file.path}: base.blueprint: each is the base of the one before it: "
                f"{' -> '.join(found)}; give one of them another base"
            )


def plan_file(file: BlueprintFile | StackFile, world: World) -> FilePlan:
    """What storing one file would do. InvalidRequest that begins with the file's name."""
    (plan,) = plan_files([file], world)
    return plan


def _plan(file: BlueprintFile | StackFile, world: World) -> FilePlan:
    return _stack(file, world) if isinstance(file, StackFile) else _blueprint(file, world)


def _blueprint(file: BlueprintFile, world: World) -> FilePlan:
    try:
        check_storable(file.document)
    except InvalidBlueprint as error:
        raise InvalidBlueprint(f"{file.path}: {error}") from error
    name = file.blueprint.name
    before = world.versions.get(name)
    number = next_number(name, file.document, world)
    same = before is not None and before.number == number
    rows = () if same or before is None else tuple(differences(before.document, file.document))
    schedule = scheduling.difference(file.blueprint, world)
    change = _change(before is not None, same and not schedule)
    applied = Applied("blueprint", name, change, number, (*rows, *schedule))
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


def carry_out(plan: FilePlan, world: World, signed: Signature = NOBODY) -> Applied:
    """Store a file as it was planned; a version of a blueprint is `signed`."""
    if isinstance(plan.file, BlueprintFile):
        _store(plan.file, plan.applied, signed, world)
        scheduling.settle(plan.file.blueprint.name, world)
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


def _store(file: BlueprintFile, planned: Applied, signed: Signature, world: World) -> None:
    latest = world.versions.get(planned.name)
    if latest and is_same(latest.document, file.document):
        return
    version = BlueprintVersion(
        blueprint=planned.name,
        number=planned.version,
        document=file.document,
        author=signed.by,
        at=world.clock.now().isoformat(),
        message=signed.message,
    )
    store(version, world)


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


def store_blueprint(file: BlueprintFile, place: Place) -> int:
    """Store a blueprint that is to be baked; its version, a new one only where it differs from the
    latest. Its schedule is left to `kiln apply`: one by a rate would start a bake of its own."""
    _refuse_circles([file], place.world)
    plan = _blueprint(file, place.world)
    _store(file, plan.applied, signature([plan], place), place.world)
    return plan.applied.version


def apply_signed(file: BlueprintFile | StackFile, place: Place) -> Applied:
    """Plan and store one file, signed by who asks."""
    plan = plan_file(file, place.world)
    return carry_out(plan, place.world, signature([plan], place))


def signature(plans: Iterable[FilePlan], place: Place, message: str = "") -> Signature:
    """Who signs what is about to be stored; nobody is asked for where nothing is."""
    kinds = {plan.applied.kind for plan in plans if plan.applied.change != "unchanged"}
    return Signature(place.caller(), message) if "blueprint" in kinds else NOBODY


def apply_stack(file: StackFile, world: World) -> Applied:
    """Store a stack where it differs, and write down the instances that it plans."""
    return apply_file(file, world)


def _change(known: bool, same: bool) -> str:
    if not known:
        return "new"
    return "unchanged" if same else "changed"
