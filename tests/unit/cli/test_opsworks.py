"""Saved output of OpsWorks becomes a stack file, or is refused in one line; nothing is lost in
silence."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiln.domain.stack import Stack, stack_from
from kiln.errors import InvalidRequest
from kiln_cli.files import read_stack
from kiln_cli.opsworks.convert import convert
from kiln_cli.opsworks.export import Export, read_export
from kiln_cli.opsworks.fields import FLAG, MAP, NUMBER, REASONS, SHAPES, TEXT, TEXTS, WHOLE
from kiln_cli.opsworks.layers import platform_of
from kiln_cli.opsworks.writing import as_yaml, survives
from kiln_cli.yaml12 import read_yaml
from tests.kiln_command import run

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
LEAVES = [(kind, name) for kind, shape in SHAPES.items() for name in shape]


@pytest.mark.parametrize(("kind", "name"), LEAVES, ids=lambda part: part)
def test_no_field_is_lost_in_silence(kind: str, name: str) -> None:
    """Whatever a field holds, the file tells it or the notes name it."""
    if (kind, name) in {("Layers", "StackId"), ("Instances", "StackId"), ("Instances", "LayerIds")}:
        pytest.skip("says where the object belongs; another value belongs elsewhere")
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


def test_a_secret_is_never_carried() -> None:
    objects = everything()
    objects["Stacks"][0]["CustomCookbooksSource"] |= {"SshKey": "BEGIN KEY", "Password": "hunter2"}
    found = imported(objects)
    assert "hunter2" not in str(found.document)
    assert "BEGIN KEY" not in str(found.document)
    assert {"SshKey", "Password"} <= fields(found)
    assert all("hunter2" not in note.reason for note in found.notes.dropped)


@pytest.mark.parametrize(
    ("source", "carried"),
    [
        (
            {"Type": "s3", "Url": "https://s3.amazonaws.com/b/books.tar.gz"},
            {"type": "S3", "path": "https://s3.amazonaws.com/b/books.tar.gz"},
        ),
        ({"Type": "archive", "Url": "https://x/y.tgz"}, {"type": "HTTP", "url": "https://x/y.tgz"}),
        (
            {"Type": "git", "Url": "https://x/y.git", "Revision": "a" * 40},
            {"type": "Git", "repository": "https://x/y.git", "getOptions": f"commitID:{'a' * 40}"},
        ),
    ],
)
def test_sources_become_those_of_systems_manager(
    source: dict[str, str], carried: dict[str, str]
) -> None:
    objects = everything()
    objects["Stacks"][0]["CustomCookbooksSource"] = source
    assert imported(objects).document["layers"][0]["source"] == carried


@pytest.mark.parametrize(
    ("operating_system", "platform"),
    [
        ("Amazon Linux 2018.03", "amazon-linux-1"),
        ("Amazon Linux AMI 2017.09", "amazon-linux-1"),
        ("Amazon Linux 2", "amazon-linux-2"),
        ("Amazon Linux 2023", "amazon-linux-2023"),
        ("Ubuntu 14.04 LTS", "ubuntu-14.04"),
        ("Ubuntu 12.04 LTS", None),
        ("CentOS Linux 7", "centos-7"),
        ("Red Hat Enterprise Linux 7", "rhel-7"),
        ("Microsoft Windows Server 2012 R2 with SQL Server Web", "windows-2012-r2"),
        ("Microsoft Windows Server 2019 Base", "windows-2019"),
        ("Custom", None),
        ("", None),
    ],
)
def test_the_platform_of_every_system_that_opsworks_had(
    operating_system: str, platform: str | None
) -> None:
    assert platform_of(operating_system) == platform


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
    assert {"Setup", "Shutdown"} <= fields(found)


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


# ------------------------------------------------------------ files


def write(folder: Path, name: str, document: Any) -> Path:
    path = folder / name
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


def test_files_in_any_order_become_a_stack_file_that_is_valid(tmp_path: Path) -> None:
    paths = [
        write(tmp_path, f"{kind}.json", {kind: found})
        for kind, found in reversed(everything().items())
    ]
    paths.append(write(tmp_path, "rds.json", {"RdsDbInstances": [{"DbInstanceIdentifier": "x"}]}))
    ran = run("import", "opsworks", *paths)
    assert ran.status == 0, ran.stderr
    assert "not carried over: RdsDbInstances of 1 object(s)" in ran.stderr
    file = write(tmp_path, "shop.yaml", ran.stdout)
    assert len(read_stack(file).stack.layers) == 2
    assert "# Not carried over: LayerId of layer web, layer app" in ran.stdout
    as_json = run("import", "opsworks", *paths, "--json").json["stacks"][0]
    assert as_json["document"] == read_yaml(ran.stdout)
    assert {"object": "layer web", "field": "LayerId"}.items() <= next(
        row for row in as_json["dropped"] if row["object"] == "layer web"
    ).items()
    assert as_json["file"] is None


def test_several_stacks_want_a_folder_and_no_file_is_written_over(tmp_path: Path) -> None:
    objects = everything() | {"Stacks": [STACK, STACK | {"StackId": "s-2", "Name": "bank"}]}
    path = write(tmp_path, "all.json", objects)
    assert "there are several stacks: shop, bank" in run("import", "opsworks", path).error
    assert "is one file" in run("import", "opsworks", path, "-o", tmp_path / "x.yaml").error
    made = run("import", "opsworks", path, "-o", tmp_path / "stacks", "--json").json["stacks"]
    assert [Path(row["file"]).name for row in made] == ["shop.yaml", "bank.yaml"]
    assert all(isinstance(read_stack(Path(row["file"])).stack, Stack) for row in made)
    again = run("import", "opsworks", path, "-o", tmp_path / "stacks")
    assert (again.status, again.stdout) == (2, "")
    assert "--force writes over it" in again.error
    assert run("import", "opsworks", path, "-o", tmp_path / "stacks", "--force").status == 0


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("{", "is not JSON"),
        ("[]", "holds none of Stacks"),
        ('{"Reservations": []}', "holds none of Stacks"),
        ('{"Stacks": {}}', "Stacks: must be a list"),
        ('{"Stacks": [7]}', "Stacks.0: must be a mapping, not 7"),
        ('{"Stacks": [{"Name": "x"}]}', "Stacks.0.StackId: is required"),
        ('{"Stacks": [{"StackId": 7}]}', "Stacks.0.StackId: must be text, not 7"),
        ('{"Stacks": [], "Other": 1}', "Other: is no list"),
        ('{"Stacks": []}', "no file holds Stacks"),
        ('{"Layers": []}', "no file holds Stacks"),
        ('{"Stacks": [], "Stacks": []}', "holds the key 'Stacks' twice"),
        ('{"Stacks": [{"StackId": "s", "Attributes": {"x": NaN}}]}', "NaN, which is no JSON"),
        ("[" * 100_000, "is nested too deep"),
        (
            '{"Stacks": [{"StackId": "s"}], "Layers": [{"LayerId": "l", "StackId": "t"}]}',
            "layer l is of stack t, which no file describes",
        ),
        (
            '{"Stacks": [{"StackId": "s"}, {"StackId": "s", "Name": "x"}]}',
            "s is described twice, and differently",
        ),
        (
            '{"Stacks": [{"StackId": "s"}], "LoadBasedAutoScalingConfigurations": '
            '[{"LayerId": "l"}]}',
            "l is described by no file",
        ),
    ],
)
def test_what_is_no_output_of_opsworks_is_refused_in_one_line(
    tmp_path: Path, document: str, said: str
) -> None:
    ran = run("import", "opsworks", write(tmp_path, "x.json", document))
    assert (ran.status, ran.stdout) == (2, "")
    assert said in ran.error


def test_a_platform_that_kiln_does_not_know_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "all.json", everything())
    assert (
        "--platform: beos is none of" in run("import", "opsworks", path, "--platform", "beos").error
    )


# ------------------------------------------------------------ any export

_ANY = st.text(max_size=12) | st.sampled_from(
    ["s-1", "l-1", "i-1", "web", "Custom", "Ubuntu 18.04 LTS", "timer", "load", "git", "{}", "12"]
)


def of_shape(shape: Any) -> st.SearchStrategy[Any]:
    """Values of a shape, each field there or not."""
    if isinstance(shape, list):
        return st.lists(of_shape(shape[0]), max_size=3)
    if isinstance(shape, dict):
        return st.fixed_dictionaries(
            {}, optional={key: of_shape(inner) | st.none() for key, inner in shape.items()}
        )
    return {
        TEXT: _ANY,
        WHOLE: st.integers(-5, 2**40),
        NUMBER: st.floats(allow_nan=False, allow_infinity=False),
        FLAG: st.booleans(),
        MAP: st.dictionaries(_ANY, _ANY | st.integers() | st.none(), max_size=3),
    }[shape]


def objects_of(kind: str) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Objects of a kind, most of them related to the one stack and its layer."""
    ids = {
        "Stacks": {"StackId": "s-1"},
        "Layers": {"StackId": "s-1", "LayerId": "l-1"},
        "Instances": {"StackId": "s-1", "InstanceId": "i-1", "LayerIds": ["l-1"]},
        "LoadBasedAutoScalingConfigurations": {"LayerId": "l-1"},
        "TimeBasedAutoScalingConfigurations": {"InstanceId": "i-1"},
    }.get(kind, {})
    related = of_shape(SHAPES[kind]).map(lambda one: one | ids)
    least = 1 if kind in ("Stacks", "Layers", "Instances") else 0
    kin = st.lists(related, min_size=least, max_size=1)
    # One list in twenty has objects that nothing else knows: most exports then are refused.
    strangers = st.lists(of_shape(SHAPES[kind]), max_size=2)
    return st.integers(1, 20).flatmap(lambda n: strangers if n == 20 else kin)


@given(st.fixed_dictionaries({kind: objects_of(kind) for kind in SHAPES}))
def test_any_export_is_imported_or_refused_in_one_line(
    tmp_path_factory: pytest.TempPathFactory, objects: dict[str, Any]
) -> None:
    folder = tmp_path_factory.mktemp("any")
    path = write(folder, "all.json", objects)
    ran = run("import", "opsworks", path, "-o", folder / "out", "--json", "--platform", "debian-12")
    if ran.status == 2:
        assert len(ran.stderr.splitlines()) == 1
        assert ran.json["message"]
        return
    assert ran.status == 0, ran.stderr
    for row in ran.json["stacks"]:
        read = read_stack(Path(row["file"]))
        assert read.stack == stack_from(row["document"])
    named = {
        part for s in ran.json["stacks"] for r in s["dropped"] for part in r["field"].split(".")
    }
    for kind, found in objects.items():
        for one in found:
            lost = {k for k, v in one.items() if k in REASONS[kind] and v not in (None, "", [], {})}
            deep = {k for k in lost if isinstance(one[k], dict)}
            assert lost - deep <= named


@given(st.recursive(_ANY | st.integers(-(2**53), 2**53) | st.booleans() | st.none(),
                    lambda inner: st.lists(inner, max_size=3)
                    | st.dictionaries(_ANY, inner, max_size=3)))  # fmt: skip
def test_whatever_survives_reads_back_as_it_was(value: Any) -> None:
    if survives(value):
        assert read_yaml(as_yaml(value)) == value
    else:
        # Only what no file can hold: a NUL, a lone half of a character, nothing at all.
        text = json.dumps(value)
        assert value is None or "\\u" in text or "\\x" in text


def test_reading_refuses_a_folder_and_a_file_that_is_gone(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="is a folder"):
        read_export([tmp_path])
    with pytest.raises(InvalidRequest, match="does not exist"):
        read_export([tmp_path / "no.json"])


def test_every_reason_is_of_a_field_that_there_is() -> None:
    assert REASONS.keys() == SHAPES.keys()
    for kind, reasons in REASONS.items():
        assert reasons.keys() <= SHAPES[kind].keys()
    assert SHAPES["Layers"]["Packages"] == TEXTS
