"""Stacks of OpsWorks as documents of stack files, each with its notes.

Names are made of what Kiln's may hold; where two become alike, the second gets a number.
"""

from __future__ import annotations

from collections import Counter

from kiln.domain.stack import stack_from
from kiln.errors import InvalidBlueprint, InvalidRequest
from kiln_cli.elsewhere.imported import Imported
from kiln_cli.elsewhere.names import plain_name, unique
from kiln_cli.opsworks.export import Export, Object
from kiln_cli.opsworks.fields import OTHER
from kiln_cli.opsworks.instances import add_instance
from kiln_cli.opsworks.layers import (
    Around,
    Document,
    custom_json,
    layer_document,
    load_document,
    platform_of,
)
from kiln_cli.opsworks.notes import Notes
from kiln_cli.opsworks.sources import source_of

# What stands in where no instance of the stack names a type; the user sees that it does.
STAND_IN_TYPE = "t3.medium"


def convert(export: Export, platform: str | None = None) -> list[Imported]:
    """A document for each stack; `platform` is for layers whose own cannot be told. Raises
    InvalidRequest."""
    _check_related(export)
    taken: set[str] = set()
    found = [_stack(stack, export, platform, taken) for stack in export.objects["Stacks"]]
    first = found[0][1]
    for kind, key in (("Apps", "Name"), ("ElasticLoadBalancers", "ElasticLoadBalancerName")):
        for one in export.objects[kind]:
            first.drop_known(f"{kind[:-1]} {one.get(key) or '(no name)'}", kind, one)
    for one in export.objects["Volumes"]:
        first.drop_known(f"volume {one.get('VolumeId') or '(no id)'}", "Volumes", one)
    for key, count in export.other.items():
        if count:
            first.drop(f"{count} object(s)", key, OTHER[key])
    for imported, _ in found:
        _check(imported)
    return [imported for imported, _ in found]


def _check_related(export: Export) -> None:
    stacks = {stack["StackId"] for stack in export.objects["Stacks"]}
    for kind, key, what in (
        ("Layers", "LayerId", "layer"),
        ("Instances", "InstanceId", "instance"),
    ):
        for one in export.objects[kind]:
            if one.get("StackId") not in stacks:
                raise InvalidRequest(
                    f"{what} {one[key]} is of stack {str(one.get('StackId'))[:200]}, which no file "
                    "describes; add the output of aws opsworks describe-stacks for it"
                )
    for kind, other, key in (
        ("LoadBasedAutoScalingConfigurations", "Layers", "LayerId"),
        ("TimeBasedAutoScalingConfigurations", "Instances", "InstanceId"),
    ):
        known = {one[key] for one in export.objects[other]}
        for one in export.objects[kind]:
            if one[key] not in known:
                raise InvalidRequest(
                    f"{kind}: {one[key]} is described by no file; add the output of aws opsworks "
                    f"describe-{other.lower()}"
                )


def _check(imported: Imported) -> None:
    try:
        stack_from(imported.document)
    except InvalidBlueprint as error:
        raise InvalidRequest(f"stack {imported.name} cannot be written: {error}") from error


def _stack(
    stack: Object, export: Export, platform: str | None, taken: set[str]
) -> tuple[Imported, Notes]:
    notes = Notes()
    name = unique(plain_name(stack.get("Name") or "", "stack", r"[^a-z0-9-]+"), taken)
    about = f"stack {name}"
    if name != stack.get("Name"):
        notes.assume(about, "name", f"OpsWorks called it {stack.get('Name')!r}")
    notes.drop_known(about, "Stacks", stack)
    if stack.get("HostnameTheme") not in (None, "", "Layer_Dependent"):
        reason = "new instances are called after their layer, as Layer_Dependent did"
        notes.drop(about, "HostnameTheme", reason)
    document: Document = {"kind": "stack", "name": name}
    custom = custom_json(stack, (notes, about))
    document |= {"custom_json": custom} if custom else {}
    document["layers"] = _layers(stack, export, platform, (notes, about))
    return Imported(document, f"OpsWorks's stack {name}", notes), notes


def _layers(
    stack: Object, export: Export, platform: str | None, notes: tuple[Notes, str]
) -> list[Document]:
    kept, _ = notes
    members = export.of("Instances", "StackId", stack["StackId"])
    types = Counter(one["InstanceType"] for one in members if one.get("InstanceType"))
    around = Around(
        source=source_of(stack, notes),
        chef=_chef(stack, notes),
        platform=platform or platform_of(stack.get("DefaultOs") or ""),
        instance_type=str(types.most_common(1)[0][0]) if types else STAND_IN_TYPE,
    )
    names: dict[str, str] = {}
    documents: dict[str, Document] = {}
    for layer in export.of("Layers", "StackId", stack["StackId"]):
        name = _name_of_layer(layer, set(documents), kept)
        where = kept, f"layer {name}"
        mine = [one for one in members if layer["LayerId"] in (one.get("LayerIds") or ())]
        documents[name] = {"name": name, **layer_document(layer, mine, around, where)}
        load = load_document(layer, export, where)
        documents[name] |= {"load": load} if load else {}
        names[layer["LayerId"]] = name
    hosts: set[str] = set()
    for one in members:
        add_instance(one, (names, documents, hosts), export, kept)
    _keep_volumes_apart(documents, kept)
    _tell_default(stack, documents, notes)
    return list(documents.values())


def _keep_volumes_apart(documents: dict[str, Document], notes: Notes) -> None:
    """Of layers that share an instance only one keeps the volume of a mount point."""
    for name, document in documents.items():
        for instance in document.get("instances", ()):
            holders = {volume["mount_point"]: name for volume in document.get("volumes", ())}
            for other in instance.get("also_in", ()):
                _give_up(other, documents[other], holders, (notes, instance["hostname"]))


def _give_up(
    name: str, document: Document, holders: dict[str, str], shared: tuple[Notes, str]
) -> None:
    notes, hostname = shared
    volumes = document.pop("volumes", [])
    for volume in volumes:
        point = volume["mount_point"]
        holder = holders.setdefault(point, name)
        if holder != name:
            reason = f"{hostname} is in layer {holder} too, which has that mount point"
            notes.drop(f"layer {name}", f"VolumeConfigurations {point}", reason)
    left = [volume for volume in volumes if holders[volume["mount_point"]] == name]
    document |= {"volumes": left} if left else {}


def _tell_default(stack: Object, documents: dict[str, Document], notes: tuple[Notes, str]) -> None:
    """The stack's own system, where no layer has it."""
    system = stack.get("DefaultOs")
    if system and platform_of(system) not in {one["platform"] for one in documents.values()}:
        notes[0].drop(notes[1], "DefaultOs", f"{system!r}: each layer has a platform of its own")


def _name_of_layer(layer: Object, taken: set[str], notes: Notes) -> str:
    short = layer.get("Shortname") or layer.get("Name") or ""
    name = unique(plain_name(short, "layer", r"[^a-z0-9._-]+"), taken)
    if name != layer.get("Shortname"):
        notes.assume(f"layer {name}", "name", f"OpsWorks called it {short!r}")
    if layer.get("Name") and layer["Name"] != name:
        notes.drop(f"layer {name}", "Name", f"{layer['Name']!r}: a layer has one name")
    return name


def _chef(stack: Object, notes: tuple[Notes, str]) -> str | None:
    kept, about = notes
    manager = stack.get("ConfigurationManager") or {}
    if (manager.get("Name") or "Chef") != "Chef":
        kept.drop(about, "ConfigurationManager.Name", f"{manager['Name']!r} is not Chef")
        return None
    version = manager.get("Version")
    major = (version or "").partition(".")[0]
    if version and major not in ("11", "12"):
        kept.drop(about, "ConfigurationManager.Version", f"{version!r}: Kiln knows Chef 11 and 12")
    elif version and version != major:
        kept.assume(about, "chef", f"{major}, where OpsWorks had {version}")
    return major if major in ("11", "12") else None
