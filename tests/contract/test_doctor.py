"""What the doctor knows by heart is what the template says."""

from __future__ import annotations

import tomllib
from pathlib import Path

from kiln_cli.doctor.alarms import NAMES
from kiln_cli.doctor.notices import TOPICS
from kiln_cli.doctor.stack import NEEDED
from kiln_local.template import read

ROOT = Path(__file__).parents[2]
TEMPLATE = read(ROOT / "template.yaml")


def test_the_topics_of_releases_are_those_that_the_template_subscribes_to() -> None:
    mapped = TEMPLATE["Mappings"]["ReleaseTopics"]
    assert {name: set(topics) for name, topics in TOPICS.items()} == {
        name: set(topics.values()) for name, topics in mapped.items()
    }


def test_every_alarm_is_known_and_has_a_page() -> None:
    alarms = {
        str(resource["Properties"]["AlarmName"]["Fn::Sub"]).removeprefix("${AWS::StackName}-")
        for resource in TEMPLATE["Resources"].values()
        if resource["Type"] == "AWS::CloudWatch::Alarm"
    }
    assert set(NAMES) == alarms
    assert all((ROOT / "docs" / "runbooks" / f"{name}.md").is_file() for name in NAMES)


def test_what_is_needed_of_a_stack_is_an_output_of_the_template() -> None:
    assert set(NEEDED) <= set(TEMPLATE["Outputs"])
    assert all("Condition" not in TEMPLATE["Outputs"][name] for name in NEEDED)


def test_the_template_is_of_the_version_of_the_command() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert TEMPLATE["Outputs"]["Version"]["Value"] == project["version"]
