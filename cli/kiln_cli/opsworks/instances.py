"""Instances of OpsWorks as planned instances of a stack file: hours, further layers, names."""

from __future__ import annotations

import re

from kiln.domain.scaling import DAYS
from kiln_cli.elsewhere.names import plain_name, unique
from kiln_cli.opsworks.export import Export, Object
from kiln_cli.opsworks.layers import Document, platform_of
from kiln_cli.opsworks.notes import Notes

_SCALING = {None: "always", "": "always", "timer": "time", "load": "load"}


def add_instance(
    one: Object,
    known: tuple[dict[str, str], dict[str, Document], set[str]],
    export: Export,
    notes: Notes,
) -> None:
    """Add an instance to the first of its layers, in `documents`; `names` are those of layers by
    their ids."""
    names, documents, hosts = known
    called = one.get("Hostname") or one["InstanceId"]
    layers = [names[found] for found in one.get("LayerIds") or () if found in names]
    if not layers or (one.get("InfrastructureClass") or "ec2") != "ec2":
        _leave_out(one, called, bool(layers), notes)
        return
    host = unique(plain_name(called, "instance", r"[^a-z0-9-]+", 63), hosts)
    about = f"instance {host}"
    if host != one.get("Hostname"):
        notes.assume(about, "hostname", f"OpsWorks called it {called!r}")
    notes.drop_known(about, "Instances", one)
    document = documents[layers[0]]
    _drop_layers(one, names, (notes, about))
    also = _also_in(layers, documents, (notes, about))
    planned: Document = {"hostname": host}
    if one.get("InstanceType") and one["InstanceType"] != document["instance_type"]:
        planned["instance_type"] = one["InstanceType"]
    planned |= {"also_in": also} if also else {}
    planned |= _scaling(one, document, export, (notes, about))
    _tell_system(one, document, (notes, about))
    document.setdefault("instances", []).append(planned)


def _leave_out(one: Object, called: str, in_a_layer: bool, notes: Notes) -> None:
    about = f"instance {called}"
    if in_a_layer:
        reason = "Kiln launches instances of EC2 and takes in no others; it is left out"
        notes.drop(about, "InfrastructureClass", f"{one['InfrastructureClass']!r}: {reason}")
    else:
        notes.drop(about, "LayerIds", "it is in no layer that the files describe; it is left out")
    for name, value in one.items():
        if name not in ("InfrastructureClass", "LayerIds") and value not in (None, "", [], {}):
            notes.drop(about, name, "its instance is left out")


def _drop_layers(one: Object, names: dict[str, str], notes: tuple[Notes, str]) -> None:
    for found in one.get("LayerIds") or ():
        if found not in names:
            notes[0].drop(notes[1], "LayerIds", f"layer {found} is described by no file")


def _also_in(
    layers: list[str], documents: dict[str, Document], notes: tuple[Notes, str]
) -> list[str]:
    """The further layers; one of another platform cannot have the same instance."""
    first = documents[layers[0]]
    kept = []
    for name in dict.fromkeys(layers[1:]):
        other = documents[name]
        if name == layers[0]:
            continue
        if any(first.get(key) != other.get(key) for key in ("platform", "chef")):
            reason = f"layer {name} is {other['platform']}, its first one {first['platform']}"
            notes[0].drop(notes[1], "LayerIds", reason)
        else:
            kept.append(name)
    return kept


def _scaling(one: Object, layer: Document, export: Export, notes: tuple[Notes, str]) -> Document:
    kept, about = notes
    hours = _hours(one, export, notes)
    kind = one.get("AutoScalingType")
    scaling = _SCALING.get(kind)
    problem = ""
    if scaling is None:
        problem = f"{kind!r} is neither timer nor load"
    elif scaling == "time" and not hours:
        problem = "timer, and no hour of any day is on"
    elif scaling == "load" and "load" not in layer:
        problem = "load, and its layer has no load-based scaling that could be carried over"
    if problem:
        kept.drop(about, "AutoScalingType", f"{problem}; it is written as always")
        scaling = "always"
    if hours and scaling != "time":
        kept.drop(about, "AutoScalingSchedule", "hours are for time-based instances")
    if scaling == "always":
        return {}
    return {"scaling": scaling} | ({"hours": hours} if scaling == "time" else {})


def _hours(one: Object, export: Export, notes: tuple[Notes, str]) -> Document:
    kept, about = notes
    found = export.of("TimeBasedAutoScalingConfigurations", "InstanceId", one["InstanceId"])
    if not found:
        return {}
    kept.drop_known(about, "TimeBasedAutoScalingConfigurations", found[0])
    hours: Document = {}
    for day, by_hour in (found[0].get("AutoScalingSchedule") or {}).items():
        if day.lower() not in DAYS or not by_hour:
            continue
        for hour, switch in by_hour.items():
            if not re.fullmatch(r"[0-9]|1[0-9]|2[0-3]", hour) or switch not in ("on", "off"):
                name = f"AutoScalingSchedule.{day}.{hour}"
                kept.drop(about, name, f"{switch!r} is not on or off, or {hour!r} no hour")
            elif switch == "on":
                hours.setdefault(day.lower(), []).append(int(hour))
    return {day: sorted(hours[day]) for day in DAYS if day in hours}


def _tell_system(one: Object, layer: Document, notes: tuple[Notes, str]) -> None:
    system = one.get("Os")
    told = platform_of(system or "")
    if system and told != layer["platform"]:
        notes[0].drop(
            notes[1], "Os", f"{system!r}: its layer is {layer['platform']}, and its image decides"
        )
    reported = one.get("ReportedOs") or {}
    for key, value in reported.items():
        if value:
            notes[0].drop(notes[1], f"ReportedOs.{key}", "the platform of its layer says it")
