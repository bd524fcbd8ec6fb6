"""One layer of OpsWorks as a layer of a stack file: recipes, custom JSON, volumes, load."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from kiln.domain.cleanup import chef_versions
from kiln.domain.lifecycle import LifecycleEvent, LifecycleRecipes, check_runner
from kiln.domain.model import explain
from kiln.domain.platforms import PLATFORMS, Family
from kiln.domain.scaling import LoadScaling
from kiln.domain.stack import MOST_JSON
from kiln.domain.volumes import LayerVolume
from kiln.errors import InvalidRequest
from kiln_cli.elsewhere.writing import survives
from kiln_cli.opsworks.export import Export, Object
from kiln_cli.opsworks.notes import Notes

Document = dict[str, Any]
_OPERATING_SYSTEMS = (
    (r"amazon linux (2023)\b", "amazon-linux-{0}"),
    (r"amazon linux( ami)? \d{4}\.\d\d", "amazon-linux-1"),
    (r"amazon linux 2\b", "amazon-linux-2"),
    (r"ubuntu (\d\d\.\d\d)", "ubuntu-{0}"),
    (r"centos( linux)? (7)\b", "centos-7"),
    (r"red ?hat( enterprise linux)?[^0-9]* (\d+)", "rhel-{1}"),
    (r"windows server (\d{4})( r2)?", "windows-{0}{1}"),
)
SCALING = {"UpScaling": "up", "DownScaling": "down"}
_BUSY = (("CpuThreshold", "CPU"), ("MemoryThreshold", "memory"), ("LoadThreshold", "load"))


@dataclass(frozen=True)
class Around:
    """What a layer takes from its stack: the source of cookbooks, Chef, and what stands in where
    its own instances do not tell."""

    source: Document | None
    chef: str | None
    platform: str | None
    instance_type: str


def platform_of(operating_system: str) -> str | None:
    """`Ubuntu 18.04 LTS` as ubuntu-18.04; None for what Kiln has no platform for."""
    for pattern, template in _OPERATING_SYSTEMS:
        found = re.search(pattern, operating_system.lower())
        if found:
            parts = [(part or "").strip().replace(" ", "-") for part in found.groups()]
            name = template.format(*(f"-{part}" if part == "r2" else part for part in parts))
            return name if name in PLATFORMS else None
    return None


def platform_of_instance(instance: Object) -> str | None:
    """By its Os, or for a custom image by what its agent had reported."""
    reported = instance.get("ReportedOs") or {}
    told = f"{reported.get('Name') or ''} {reported.get('Version') or ''}"
    return platform_of(instance.get("Os") or "") or platform_of(told)


def layer_document(
    layer: Object, members: list[Object], around: Around, notes: tuple[Notes, str]
) -> Document:
    """All keys of a layer but its name and its instances."""
    kept, about = notes
    kept.drop_known(about, "Layers", layer)
    platform = _platform(members, around, notes)
    windows = PLATFORMS[platform].family is Family.WINDOWS
    document: Document = {
        "kind": "instances",
        "platform": platform,
        **_chef(platform, around, notes),
        "instance_type": _instance_type(members, around, notes),
        "auto_healing": layer.get("EnableAutoHealing") is not False,
        **_shutdown(layer, notes),
        **_recipes(layer, windows, around, notes),
    }
    custom = custom_json(layer, notes)
    volumes = _volumes(layer, windows, notes)
    document |= {"custom_json": custom} if custom else {}
    document |= {"volumes": volumes} if volumes else {}
    if (layer.get("Type") or "custom") != "custom":
        reason = "it was built in: its recipes were OpsWorks's own, and went with it"
        kept.drop(about, "Type", reason)
    return document


def _platform(members: list[Object], around: Around, notes: tuple[Notes, str]) -> str:
    kept, about = notes
    told = Counter(found for one in members if (found := platform_of_instance(one)))
    platform = told.most_common(1)[0][0] if told else around.platform
    if platform is None:
        named = sorted({one["Os"] for one in members if one.get("Os")})
        known = f" from Os {', '.join(named)}" if named else ""
        raise InvalidRequest(
            f"{about}: its platform cannot be told{known}; name it with --platform, as "
            "--platform ubuntu-22.04"
        )
    if not told:
        kept.assume(about, "platform", f"{platform}, for no instance of the layer tells")
    return platform


def _chef(platform: str, around: Around, notes: tuple[Notes, str]) -> Document:
    if around.chef is None or around.chef in chef_versions(platform):
        return {"chef": around.chef} if around.chef else {}
    notes[0].drop(
        notes[1],
        "ConfigurationManager.Version",
        f"Kiln cleans up after Chef {around.chef} on other platforms than {platform}",
    )
    return {}


def _instance_type(members: list[Object], around: Around, notes: tuple[Notes, str]) -> str:
    told = Counter(one["InstanceType"] for one in members if one.get("InstanceType"))
    if told:
        return str(told.most_common(1)[0][0])
    notes[0].assume(
        notes[1], "instance_type", f"{around.instance_type}, for no instance of the layer tells"
    )
    return around.instance_type


def _shutdown(layer: Object, notes: tuple[Notes, str]) -> Document:
    kept, about = notes
    name = "LifecycleEventConfiguration.Shutdown"
    found = (layer.get("LifecycleEventConfiguration") or {}).get("Shutdown") or {}
    if found.get("DelayUntilElbConnectionsDrained") is False:
        reason = "Kiln always lets target groups drain; their deregistration delay may be 0"
        kept.drop(about, f"{name}.DelayUntilElbConnectionsDrained", reason)
    timeout = found.get("ExecutionTimeout")
    if timeout is None:
        return {}
    if not 0 < timeout < 1_000_000:
        kept.drop(about, f"{name}.ExecutionTimeout", f"{timeout} s is no time that Kiln takes")
        return {}
    return {"shutdown_timeout": f"{timeout}s"}


def _recipes(layer: Object, windows: bool, around: Around, notes: tuple[Notes, str]) -> Document:
    kept, about = notes
    custom = layer.get("CustomRecipes") or {}
    given = {event: found for event in LifecycleEvent if (found := custom.get(event.capitalize()))}
    if not given:
        return {}
    why = ""
    if windows:
        why = "Kiln runs PowerShell on Windows, not Chef: write it as a script"
    elif around.source is None:
        why = "its cookbooks have no source that Kiln can fetch; name one, or write it as a script"
    carried: dict[str, list[str]] = {}
    for event, names in given.items():
        for name in names:
            problem = why or _problem(name, around.source)
            if problem:
                kept.drop(about, f"CustomRecipes.{event.capitalize()}", f"{name!r}: {problem}")
            else:
                carried.setdefault(event.value, []).append(name)
    return {"runner": "chef", "source": around.source, "recipes": carried} if carried else {}


def _problem(name: str, source: Document | None) -> str:
    try:
        check_runner("chef", source, LifecycleRecipes.model_validate({"setup": [name]}))
    except ValidationError:
        return "is no recipe's name"
    except ValueError as error:
        return str(error).removeprefix("recipes.setup: ")
    return ""


def custom_json(found: Object, notes: tuple[Notes, str]) -> Document:
    """The custom JSON of a stack or a layer; empty where there is none that can be carried."""
    text = found.get("CustomJson")
    if not text or not text.strip():
        return {}
    why = "it is no JSON object"
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if isinstance(value, dict):
        why = "it holds what a stack file cannot, such as very large numbers or half a character"
        if len(json.dumps(value)) > MOST_JSON:
            why = f"it is larger than {MOST_JSON // 1024} KB"
        elif survives(value):
            return value
    notes[0].drop(notes[1], "CustomJson", why)
    return {}


def _volumes(layer: Object, windows: bool, notes: tuple[Notes, str]) -> list[Document]:
    kept, about = notes
    if windows:
        # OpsWorks gave Windows instances none either, whatever their layer said.
        if layer.get("VolumeConfigurations"):
            kept.drop(about, "VolumeConfigurations", "volumes are for Linux only")
        return []
    volumes: list[Document] = []
    for volume in layer.get("VolumeConfigurations") or ():
        where = f"VolumeConfigurations {volume.get('MountPoint') or '(no mount point)'}"
        document = {
            "mount_point": volume.get("MountPoint"),
            "size_gib": volume.get("Size"),
            # Magnetic is what OpsWorks made where nobody said (VolumeConfiguration, VolumeType).
            "type": volume.get("VolumeType") or "standard",
            "encrypted": bool(volume.get("Encrypted")),
        }
        document |= {"iops": volume["Iops"]} if volume.get("Iops") else {}
        problem = problem_of(document, LayerVolume)
        if not problem and document["mount_point"] in [one["mount_point"] for one in volumes]:
            problem = "its mount point is another volume's too"
        if problem or len(volumes) == 20:
            kept.drop(about, where, problem or "a layer has at most 20 volumes")
            continue
        for key in ("NumberOfDisks", "RaidLevel"):
            if volume.get(key) not in (None, 0, 1) or (key == "RaidLevel" and volume.get(key) == 1):
                kept.drop(about, f"{where} {key}", "Kiln makes one plain volume, no RAID array")
        volumes.append(document)
    return volumes


def problem_of(document: Any, model: type[BaseModel]) -> str:
    """Why a model does not take a document; empty where it does."""
    try:
        model.model_validate(document)
    except ValidationError as error:
        return explain(error, model)
    return ""


def load_document(layer: Object, export: Export, notes: tuple[Notes, str]) -> Document | None:
    """When load-based instances start and stop, where alarms say so."""
    kept, about = notes
    found = export.of("LoadBasedAutoScalingConfigurations", "LayerId", layer["LayerId"])
    if not found:
        return None
    kept.drop_known(about, "LoadBasedAutoScalingConfigurations", found[0])
    sides = {key: _threshold(found[0], key, notes) for key in SCALING}
    if found[0].get("Enable") is not True:
        kept.drop(about, "LoadBasedAutoScaling.Enable", "it was off, and Kiln has no such switch")
        return None
    document = {SCALING[key]: side for key, side in sides.items()}
    problem = problem_of(document, LoadScaling)
    if problem:
        kept.drop(
            about,
            "LoadBasedAutoScaling",
            f"Kiln looks at CloudWatch alarms, up to five each way, and here {problem}",
        )
        return None
    return document


def _threshold(found: Object, key: str, notes: tuple[Notes, str]) -> Document:
    kept, about = notes
    side = found.get(key) or {}
    for name, what in _BUSY:
        value = side.get(name)
        # -1 switched one off (AutoScalingThresholds, CpuThreshold).
        if value is not None and value >= 0:
            reason = f"make a CloudWatch alarm for {what} of {value:g} and name it under alarms"
            kept.drop(about, f"{key}.{name}", reason)
    document: Document = {"alarms": side.get("Alarms") or []}
    if side.get("InstanceCount") is not None:
        document["instances"] = side["InstanceCount"]
    for name, own in (("ThresholdsWaitTime", "wait"), ("IgnoreMetricsTime", "ignore")):
        minutes = side.get(name)
        if minutes is None:
            continue
        if 1 <= minutes <= 100:
            document[own] = f"{minutes}m"
        else:
            kept.drop(about, f"{key}.{name}", f"{minutes} minutes is out of range: 1 to 100")
    return document
