"""What a blueprint may hold, and the one line that says what is wrong with it."""

from __future__ import annotations

from typing import Any

import pytest

from kiln.domain.blueprint import blueprint_from
from kiln.domain.step import LONGEST_SCRIPT
from kiln.errors import InvalidBlueprint
from tests.builders import a_document


def refusal(**overrides: Any) -> str:
    """The line that refuses a blueprint."""
    with pytest.raises(InvalidBlueprint) as found:
        blueprint_from(a_document(**overrides))
    assert "\n" not in str(found.value)
    return str(found.value)


def test_the_smallest_blueprint_gets_the_defaults() -> None:
    blueprint = blueprint_from(a_document())
    assert blueprint.root_device == "ebs"
    assert blueprint.on_failure == "teardown"
    assert blueprint.steps[0].action == "shell"
    assert blueprint.image.name == "{blueprint}-{date}-{time}"


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ({"colour": "red"}, "colour: is not a known key; allowed: kind, name"),
        (
            {"steps": [{"name": "a", "shel": "x"}]},
            "steps.0.shel: is not a known key; did you mean shell? allowed: name",
        ),
        (
            {"builder": {"volume": {"size": 8}}},
            "builder.volume.size: is not a known key; did you mean size_gib? allowed: size",
        ),
        (
            {"distribute": {"regions": [{"regionn": "us-east-1"}]}},
            "distribute.regions.0.regionn: is not a known key; did you mean region? allowed:",
        ),
        (
            {"verify": {"steps": [{"name": "a", "shell": "x", "environmnt": {}}]}},
            "verify.steps.0.environmnt: is not a known key; did you mean environment? allowed:",
        ),
        (
            {"lifecycle": {"delete": {"keeplast": 3}}},
            "lifecycle.delete.keeplast: is not a known key; did you mean keep_last? allowed: keep",
        ),
        (
            {"on_failure": "tear-down"},
            "'tear-down' is not allowed; did you mean 'teardown'? allowed: 'teardown' or 'keep'",
        ),
        (
            {"platform": "ubuntu-2404"},
            "'ubuntu-2404' is not a known platform; did you mean ubuntu-24.04? allowed: amazon",
        ),
        ({"platform": "beos"}, "platform: 'beos' is not a known platform; allowed: amazon-linux-1"),
        ({"steps": [{"name": "a", "shell": " "}]}, "steps.0.shell: the script is empty"),
        (
            {"steps": [{"name": "a"}]},
            "steps.0: step 'a' has no action; it needs exactly one of shell",
        ),
        (
            {"steps": [{}]},
            "steps.0: the step is empty; it must be a mapping with a name and exactly one of shell",
        ),
        ({"steps": {}}, "steps: must be a list, not {}"),
        (
            {"steps": [None]},
            "steps.0: the step is empty; it must be a mapping with a name and exactly one of",
        ),
        ({"steps": [{"name": "a", "shell": 5}]}, "steps.0.shell: must be text, not 5"),
        ({"steps": [{"name": "a", "shell": "x", "reboot": True}]}, "has shell and reboot"),
        ({"steps": [{"name": " ", "shell": "x"}]}, "steps.0.name: the name is blank"),
        (
            {"steps": [{"name": "a", "reboot": True, "environment": {"A": "b"}}]},
            "environment goes with",
        ),
        ({"steps": [{"name": "a", "shell": "x", "timeout": "4s"}]}, "a step may take 5s to 48h"),
        ({"steps": [{"name": "a", "shell": "a\0b"}]}, "NUL character"),
        ({"steps": [{"name": "a", "shell": "x" * (LONGEST_SCRIPT + 1)}]}, "put it in S3"),
        ({"steps": [{"name": "a", "shell": "x"}] * 2}, "the name 'a' is used 2 times"),
        (
            {"steps": [{"name": "a", "powershell": "x"}]},
            "steps.0.powershell: step 'a': powershell does not run on Linux; allowed: shell,",
        ),
        (
            {"verify": {"steps": [{"name": "a", "powershell": "x"}]}},
            "verify.steps.0.powershell: step 'a': powershell does not run on Linux",
        ),
        (
            {"steps": [{"name": "a", "chef": {"source": {"type": "S3"}, "run_list": []}}]},
            "steps.0.chef.run_list: the list is empty; give at least one value",
        ),
        (
            {"steps": [{"name": "a", "chef": {"source": {}, "run_list": ["a"]}}]},
            "steps.0.chef.source: the mapping is empty; give at least one value",
        ),
        (
            {"steps": [{"name": "a", "ansible": {"source": {}, "playbook": "p"}}]},
            "steps.0.ansible.source: the mapping is empty",
        ),
        ({"builder": {"volume": {"type": "io2"}}}, "iops: is required for type io2"),
        ({"builder": {"volume": {"type": "gp2", "iops": 300}}}, "iops: is only for gp3, io1"),
        (
            {"builder": {"volume": {"type": "io1", "iops": 300, "throughput_mib_s": 200}}},
            "throughput_mib_s: is only for gp3, not io1",
        ),
        ({"base": {}}, "base: needs exactly one of parameter, image, lookup, blueprint, layer"),
        ({"base": {"image": "ami-1"}}, "base.image: 'ami-1' does not match"),
        ({"base": {"blueprint": "web"}}, "a blueprint cannot be its own base"),
        (
            {"deadline": "4 hours"},
            "deadline: '4 hours' is not a duration; write 90s, 10m, 2h or 30d",
        ),
        ({"deadline": "0s"}, "deadline: a duration must be longer than 0s"),
        ({"chef": 12}, "chef: 12 is not allowed; did you mean '12'? allowed: '11' or '12'"),
        ({"image": {"name": "{colour}"}}, "{colour} is not a known field; allowed: {blueprint}"),
        ({"image": {"name": "a$b"}}, "holds a character that EC2 refuses"),
        ({"image": {"tags": {"kiln:x": "y"}}}, "a tag may not begin with aws: or kiln:"),
        (
            {"image": {"tags": {f"t{n}": "" for n in range(45)}}},
            "image.tags: has 45 items; allowed: at most 44 items",
        ),
        ({"clean": {"also_remove": ["/etc"]}}, "is a top-level directory and is never removed"),
        ({"clean": {"also_remove": ["opt/x"]}}, "is not a plain absolute path"),
        ({"clean": {"keep": ["/opt/../etc/x"]}}, "is not a plain absolute path"),
        ({"clean": {"keep": ["/opt//x"]}}, "is not a plain absolute path"),
        ({"clean": {"keep": ["/opt/./x"]}}, "is not a plain absolute path"),
        ({"clean": {"keep": ["/"]}}, "is not a plain absolute path"),
        ({"distribute": {"parameter": "/aws/x"}}, "is reserved by AWS"),
        *(
            ({"distribute": {"parameter": name}}, f"distribute.parameter: {name!r} does not match")
            for name in ("images/web", "/images//web", "/images/web/", "/", "/a" * 16)
        ),
        ({"windows": {"sysprep": True}}, "windows: is only for a Windows platform"),
        ({"windows": {"administrator_password": 5}}, "windows.administrator_password"),
        ({"layers": [{"layer": "web"}]}, "layers.0.layer: 'web' does not match"),
        (
            {"on_failure": "panic"},
            "on_failure: 'panic' is not allowed; allowed: 'teardown' or 'keep'",
        ),
        ({"builder": {"volume": {"size_gib": "big"}}}, "size_gib: must be a whole number"),
        ({"name": "Web Server"}, "name: 'Web Server' does not match"),
        ({"kind": None}, "kind: is required"),
    ],
)
def test_a_mistake_is_named_with_what_is_allowed(overrides: dict[str, Any], said: str) -> None:
    assert said in refusal(**overrides)


@pytest.mark.parametrize("name", ["/images/web", "web", "/web", "/a" * 15])
def test_a_name_that_parameter_store_takes_is_taken(name: str) -> None:
    assert blueprint_from(a_document(distribute={"parameter": name})).distribute.parameter == name


def test_a_mistake_of_several_keys_is_told_without_a_word_before_them() -> None:
    said = refusal(base={"blueprint": "web"})
    assert said == "base.blueprint: a blueprint cannot be its own base"


def test_what_is_no_mapping_is_no_blueprint() -> None:
    with pytest.raises(InvalidBlueprint, match="must be a mapping"):
        blueprint_from(["kind", "blueprint"])


def test_windows_takes_powershell_and_no_shell() -> None:
    step = {"name": "a", "powershell": "Get-Date"}
    blueprint = blueprint_from(a_document(platform="windows-2022", steps=[step], windows={}))
    assert blueprint.windows is not None
    assert "shell does not run on Windows" in refusal(platform="windows-2022")


def test_hostile_text_stays_text() -> None:
    text = "'\"$(id)`id`\n{{ x }} $$"
    step = {"name": "a", "shell": text, "environment": {"A": text}}
    blueprint = blueprint_from(a_document(steps=[step], description="'\"$(id)`id`{{ x }}"))
    assert blueprint.steps[0].shell == text
    assert blueprint.steps[0].environment == {"A": text}
