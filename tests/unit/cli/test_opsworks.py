"""Saved output of OpsWorks becomes a stack file, or is refused in one line; nothing is lost in
silence."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from kiln.domain.stack import stack_from
from kiln.errors import InvalidRequest
from kiln_cli.opsworks.convert import convert
from kiln_cli.opsworks.export import Export
from kiln_cli.opsworks.fields import FLAG, MAP, NUMBER, REASONS, SHAPES, TEXT, WHOLE

STACK = {
    "StackId": "s-1",
    "Name": "shop",
    "DefaultOs": "Ubuntu 18.04 LTS",
    "HostnameTheme": "Layer_Dependent",
    "CustomJson": '{"shop": {"currency": "EUR"}}',
    "ConfigurationManager": {"Name": "Chef", "Version": "12"},
    "UseCustomCookbooks": True,
    "CustomCookbooksSource": {"Type": "git", "Url": "git@host:books.git", "Revision": "main"},
}
WEB = {
    "StackId": "s-1",
    "LayerId": "l-1",
    "Type": "custom",
    "Name": "web",
    "Shortname": "web",
    "EnableAutoHealing": False,
    "CustomJson": '{"port": 80}',
    "CustomRecipes": {"Setup": ["web::setup", "base"], "Shutdown": ["web::bye"]},
    "VolumeConfigurations": [
        {"MountPoint": "/data", "Size": 100, "NumberOfDisks": 1, "VolumeType": "gp2"}
    ],
    "LifecycleEventConfiguration": {
        "Shutdown": {"ExecutionTimeout": 300, "DelayUntilElbConnectionsDrained": True}
    },
}
APP = {"StackId": "s-1", "LayerId": "l-2", "Type": "custom", "Name": "app", "Shortname": "app"}
ALARMS = {"InstanceCount": 2, "ThresholdsWaitTime": 5, "IgnoreMetricsTime": 10, "Alarms": ["busy"]}
LOAD = {"LayerId": "l-1", "Enable": True, "UpScaling": ALARMS, "DownScaling": ALARMS}
TIME = {"InstanceId": "i-2", "AutoScalingSchedule": {"Monday": {"9": "on", "8": "on"}}}


def an_instance(number: int, **more: Any) -> dict[str, Any]:
    return {
        "InstanceId": f"i-{number}",
        "StackId": "s-1",
        "LayerIds": ["l-1"],
        "Hostname": f"web{number}",
        "InstanceType": "m5.large",
        "Os": "Ubuntu 18.04 LTS",
        "InfrastructureClass": "ec2",
    } | more


def everything() -> dict[str, list[dict[str, Any]]]:
    """One of each, all related; nothing in it is lost."""
    return copy.deepcopy(
        {
            "Stacks": [STACK],
            "Layers": [WEB, APP],
            "Instances": [
                an_instance(1),
                an_instance(2, AutoScalingType="timer", LayerIds=["l-1", "l-2"]),
                an_instance(3, AutoScalingType="load", InstanceType="m5.xlarge"),
            ],
            "LoadBasedAutoScalingConfigurations": [LOAD],
            "TimeBasedAutoScalingConfigurations": [TIME],
            "Apps": [],
            "ElasticLoadBalancers": [],
            "Volumes": [],
        }
    )


def imported(objects: dict[str, list[dict[str, Any]]], **more: Any) -> Any:
    """The one stack of an export."""
    (found,) = convert(Export(objects=objects), **more)
    return found


def fields(found: Any) -> set[str]:
    """What was named, by the field's own name."""
    notes = (*found.notes.dropped, *found.notes.assumed)
    return {part for note in notes for part in note.field.replace(".", " ").split()}


def test_a_whole_stack_is_carried_over() -> None:
    found = imported(everything())
    stack = stack_from(found.document)
    web, app = stack.layers
    assert (stack.name, stack.custom_json) == ("shop", {"shop": {"currency": "EUR"}})
    assert (web.platform, web.chef, web.instance_type) == ("ubuntu-18.04", "12", "m5.large")
    assert (web.auto_healing, web.shutdown_timeout) == (False, "300s")
    assert (web.runner, web.recipes.setup) == ("chef", ("web::setup", "base"))
    assert web.source == {
        "type": "Git",
        "repository": "git@host:books.git",
        "getOptions": "branch:main",
    }
    assert (web.volumes[0].size_gib, web.volumes[0].encrypted) == (100, False)
    assert web.load is not None
    assert (web.load.up.alarms, web.load.up.wait, web.load.up.ignore) == (("busy",), "5m", "10m")
    one, two, three = web.instances
    assert (one.hostname, one.scaling, one.instance_type) == ("web1", "always", None)
    assert (two.scaling, two.hours, two.also_in) == ("time", {"monday": (8, 9)}, ("app",))
    assert (three.scaling, three.instance_type) == ("load", "m5.xlarge")
    assert app.instances == ()
    named = {note.field for note in found.notes.dropped}
    assert named == {"StackId", "LayerId", "InstanceId"}
    assert [note.field for note in found.notes.assumed] == []


def sample(shape: Any) -> Any:
    """A value of a shape that says something."""
    if isinstance(shape, list):
        return [sample(shape[0])]
    if isinstance(shape, dict):
        return {key: sample(inner) for key, inner in shape.items()}
    return {TEXT: "something", WHOLE: 7, NUMBER: 7.5, FLAG: True, MAP: {"Key": "value"}}[shape]


# Where the value above is the one that Kiln has too, another.
TELLING = {
    ("Stacks", "DefaultOs"): "Amazon Linux 2",
    ("Stacks", "HostnameTheme"): "Fruits",
    ("Stacks", "UseCustomCookbooks"): False,
    ("Layers", "Type"): "php-app",
    ("Layers", "Name"): "The web",
    ("Layers", "Shortname"): "front",
    ("Instances", "InfrastructureClass"): "on-premises",
    ("Instances", "Os"): "Amazon Linux 2",
}
# What says where an object belongs; with another value it belongs elsewhere.
PLACES = {("Layers", "StackId"), ("Instances", "StackId"), ("Instances", "LayerIds")}
LEAVES = [
    leaf for kind, shape in SHAPES.items() for name in shape if (leaf := (kind, name)) not in PLACES
]


@pytest.mark.parametrize(("kind", "name"), LEAVES, ids=lambda part: part)
def test_no_field_is_lost_in_silence(kind: str, name: str) -> None:
    """Whatever a field holds, the file tells it or the notes name it."""
    with_it, without = everything(), everything()
    for objects in (with_it, without):
        objects[kind] = objects[kind][:1] or [{}]
        objects["TimeBasedAutoScalingConfigurations"] = []
        if kind == "TimeBasedAutoScalingConfigurations":
            objects[kind] = [{"InstanceId": "i-1"}]
    if (kind, name) in TELLING:
        with_it[kind][0][name] = TELLING[kind, name]
        without[kind][0].pop(name)
    elif name not in with_it[kind][0] or name in REASONS[kind]:
        with_it[kind][0][name] = sample(SHAPES[kind][name])
        without[kind][0].pop(name, None)
    else:
        without[kind][0].pop(name)
    if name in ("StackId", "LayerId", "InstanceId"):
        found = imported(everything())
        assert name in fields(found)
        return
    found = imported(with_it)
    named = name in fields(found)
    assert named or found.document != imported(without).document


@pytest.mark.parametrize(
    ("kind", "field", "value", "named"),
    [
        ("Stacks", "HostnameTheme", "Fruits", "HostnameTheme"),
        ("Stacks", "CustomJson", "{no json", "CustomJson"),
        ("Stacks", "CustomJson", '{"n": 123456789012345678901234567890}', "CustomJson"),
        ("Stacks", "CustomJson", '{"half": "\\ud800"}', "CustomJson"),
        ("Stacks", "ConfigurationManager", {"Name": "Chef", "Version": "0.9"}, "Version"),
        ("Stacks", "ConfigurationManager", {"Name": "Salt"}, "Name"),
        ("Stacks", "CustomCookbooksSource", {"Type": "svn", "Url": "svn://x"}, "Url"),
        ("Stacks", "CustomCookbooksSource", {"Type": "svn", "Url": "svn://x"}, "CustomRecipes"),
        ("Stacks", "UseCustomCookbooks", False, "CustomCookbooksSource"),
        ("Stacks", "DefaultOs", "Ubuntu 12.04 LTS", "DefaultOs"),
        ("Stacks", "Surprise", 7, "Surprise"),
        ("Layers", "Type", "php-app", "Type"),
        ("Layers", "Name", "The web", "Name"),
        ("Layers", "Attributes", {"MysqlRootPassword": "x"}, "MysqlRootPassword"),
        ("Layers", "CustomRecipes", {"Deploy": ["not a recipe"]}, "Deploy"),
        ("Layers", "CustomRecipes", {"Surprise": ["x"]}, "Surprise"),
        ("Layers", "VolumeConfigurations", [{"MountPoint": "data"}], "VolumeConfigurations"),
        (
            *("Layers", "VolumeConfigurations"),
            [{"MountPoint": "/d", "Size": 8, "RaidLevel": 1}],
            "RaidLevel",
        ),
        (
            *("Layers", "LifecycleEventConfiguration"),
            {"Shutdown": {"DelayUntilElbConnectionsDrained": False, "ExecutionTimeout": 0}},
            "ExecutionTimeout",
        ),
        ("LoadBasedAutoScalingConfigurations", "Enable", False, "Enable"),
        ("LoadBasedAutoScalingConfigurations", "Enable", False, "AutoScalingType"),
        ("LoadBasedAutoScalingConfigurations", "UpScaling", {"CpuThreshold": 80}, "CpuThreshold"),
        (
            *("LoadBasedAutoScalingConfigurations", "UpScaling"),
            ALARMS | {"ThresholdsWaitTime": 0},
            "ThresholdsWaitTime",
        ),
        ("Instances", "InfrastructureClass", "on-premises", "InfrastructureClass"),
        ("Instances", "LayerIds", ["l-9"], "LayerIds"),
        ("Instances", "LayerIds", ["l-1", "l-9"], "LayerIds"),
        ("Instances", "AutoScalingType", "timer", "AutoScalingType"),
        ("Instances", "Os", "Custom", "Os"),
        ("Instances", "Hostname", "Web_1", "hostname"),
    ],
)
def test_what_a_value_loses_is_named(kind: str, field: str, value: Any, named: str) -> None:
    objects = everything()
    objects[kind][0][field] = value
    assert named in fields(imported(objects))


def test_a_custom_image_is_what_its_agent_reported() -> None:
    objects = everything()
    objects["Stacks"][0]["DefaultOs"] = "Custom"
    reported = {"Family": "debian", "Name": "ubuntu", "Version": "16.04"}
    objects["Instances"] = [an_instance(1, Os="Custom", ReportedOs=reported)]
    objects["Layers"] = [WEB]
    del objects["TimeBasedAutoScalingConfigurations"]
    objects["TimeBasedAutoScalingConfigurations"] = []
    assert imported(objects).document["layers"][0]["platform"] == "ubuntu-16.04"
    objects["Instances"][0]["ReportedOs"] = None
    with pytest.raises(InvalidRequest, match="layer web: its platform cannot be told from Os Cust"):
        imported(objects)
    assert imported(objects, platform="debian-12").document["layers"][0]["platform"] == "debian-12"


def test_a_windows_layer_keeps_no_chef_recipes() -> None:
    objects = everything()
    objects["Layers"] = [WEB]
    objects["Instances"] = [an_instance(1, Os="Microsoft Windows Server 2012 R2 Base")]
    objects["TimeBasedAutoScalingConfigurations"] = []
    found = imported(objects)
    assert stack_from(found.document).layers[0].platform == "windows-2012-r2"
    assert "runner" not in found.document["layers"][0]
    assert {"Setup", "Shutdown", "VolumeConfigurations"} <= fields(found)


def test_layers_that_share_an_instance_share_no_mount_point() -> None:
    objects = everything()
    log = {"MountPoint": "/log", "Size": 10}
    objects["Layers"] = [WEB, APP | {"VolumeConfigurations": [*WEB["VolumeConfigurations"], log]}]
    found = imported(objects)
    web, app = stack_from(found.document).layers
    assert [volume.mount_point for volume in web.volumes] == ["/data"]
    assert [volume.mount_point for volume in app.volumes] == ["/log"]
    (note,) = (note for note in found.notes.dropped if "/data" in note.field)
    assert (note.about, note.reason) == (
        *("layer app", "web2 is in layer web too, which has that mount point"),
    )


def test_names_that_become_alike_get_numbers() -> None:
    objects = everything()
    objects["Stacks"] = [STACK, STACK | {"StackId": "s-2", "Name": "Shop!"}]
    objects["Layers"] = [APP, APP | {"LayerId": "l-3"}]
    objects["Instances"] = [an_instance(n, Hostname="Same", LayerIds=["l-2"]) for n in (1, 2)]
    objects["LoadBasedAutoScalingConfigurations"] = []
    objects["TimeBasedAutoScalingConfigurations"] = []
    first, second = convert(Export(objects=objects))
    assert (first.name, second.name) == ("shop", "shop-2")
    layers = first.document["layers"]
    assert [layer["name"] for layer in layers] == ["app", "app-2"]
    assert [i["hostname"] for i in layers[0]["instances"]] == ["same", "same-2"]
