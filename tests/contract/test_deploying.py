"""The pages and examples of a deployment say what the template and the measurements say."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from cfnlint.api import lint_all

from kiln_local.template import read
from tests.examined import parses

ROOT = Path(__file__).parents[2]
TEMPLATE = read(ROOT / "template.yaml")
DEPLOYING = (ROOT / "docs" / "deploying.md").read_text()
WORKFLOW = ROOT / "docs" / "examples" / "github-actions" / "bake.yaml"
ROLE = ROOT / "docs" / "examples" / "github-actions" / "role.yaml"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def rows(section: str) -> list[list[str]]:
    """The cells of the table below a heading."""
    part = DEPLOYING.split(f"## {section}\n")[1].split("\n## ")[0]
    lines = [line for line in part.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_every_parameter_is_explained_in_the_templates_order() -> None:
    interface = TEMPLATE["Metadata"]["AWS::CloudFormation::Interface"]
    grouped = [name for group in interface["ParameterGroups"] for name in group["Parameters"]]
    told = [row[0].strip("`") for row in rows("Parameters")]
    assert sorted(told) == sorted(TEMPLATE["Parameters"])
    assert told == grouped


def test_a_default_is_told_as_it_is() -> None:
    for name, default, says in rows("Parameters"):
        said = re.fullmatch(r"`(.*)`", default)
        found = str(TEMPLATE["Parameters"][name.strip("`")]["Default"])
        assert (said[1] if said else "") == found, name
        assert len(says) > 20, name


def test_what_stays_after_a_removal_is_named() -> None:
    removing = DEPLOYING.split("## Removing it all\n")[1]
    kept = [
        name
        for name, resource in TEMPLATE["Resources"].items()
        if str(resource.get("DeletionPolicy", "")).startswith("Retain")
    ]
    assert kept
    assert [name for name in kept if f"`{name}`" not in removing] == []


def test_the_costs_are_the_measured_ones() -> None:
    measured = re.search(
        r"Together ([0-9.]+) USD a bake, ([0-9.]+) USD a rollout",
        (ROOT / "bench" / "results.md").read_text(),
    )
    assert measured
    bake, rollout, _ = (row[1] for row in rows("What it costs"))
    assert (bake, rollout) == measured.groups()


def test_the_cost_of_standing_by_is_what_the_schedules_make() -> None:
    calls = sum(_a_month(schedule) for schedule in _schedules())
    assert f"{calls:,} calls of 30 days" in DEPLOYING
    prices = yaml.safe_load((ROOT / "bench" / "prices.yaml").read_text())["invocation"]
    usd = calls * prices["usd"] / prices["each"]
    assert rows("What it costs")[2][1] == f"{usd:.3f}"


def _schedules() -> list[Any]:
    """The schedules of the template's functions, as they are by default."""
    functions = (r for r in TEMPLATE["Resources"].values() if r["Type"].endswith("::Function"))
    events = [e for f in functions for e in f["Properties"].get("Events", {}).values()]
    return [e["Properties"]["Schedule"] for e in events if e["Type"] == "Schedule"]


def _a_month(schedule: Any) -> int:
    """How often in 30 days."""
    if isinstance(schedule, dict):
        named = schedule.get("Ref") or schedule["Fn::If"][1]["Ref"]
        schedule = TEMPLATE["Parameters"][named]["Default"]
    known = {"rate(1 minute)": 43_200, "rate(1 hour)": 720, "cron(20 3 * * ? *)": 30}
    return known[schedule]


def test_the_metadata_of_the_repository_is_what_it_takes() -> None:
    """AWS SAM Developer Guide, "AWS SAM template Metadata section properties"."""
    told = TEMPLATE["Metadata"]["AWS::ServerlessRepo::Application"]
    assert re.fullmatch(r"[a-zA-Z0-9-]{1,140}", told["Name"])
    assert 1 <= len(told["Description"]) <= 256
    assert re.fullmatch(r"[a-z0-9](([a-z0-9]|-(?!-))*[a-z0-9])?", told["Author"])
    assert len(told["Labels"]) <= 10
    assert all(re.fullmatch(r"[a-zA-Z0-9+\-_:/@]{1,127}", label) for label in told["Labels"])
    assert told["SemanticVersion"] == PROJECT["version"]
    assert told["SpdxLicenseId"] == PROJECT["license"]
    for key in ("LicenseUrl", "ReadmeUrl"):
        assert (ROOT / told[key]).is_file()


def test_make_deploy_is_told_as_it_is() -> None:
    made = (ROOT / "Makefile").read_text()
    for name in ("STACK", "PARAMETERS", "YES"):
        assert f"$({name})" in made or f"$(if $({name})" in made or f"$(or $({name})" in made
        assert f"`{name}=" in DEPLOYING


def test_the_commands_of_the_pages_are_ones_that_aws_knows() -> None:
    text = DEPLOYING + (ROOT / "docs" / "upgrading.md").read_text()
    commands = [
        *re.findall(r"^aws .*$", text, re.MULTILINE),
        *re.findall(r"`(aws (?!configure|sso)[^`]+)`", text),
    ]
    assert len(commands) > 6
    for command in commands:
        words = shlex.split(command.partition(" #")[0].partition(" > ")[0], comments=True)[1:]
        if "wait" not in words and len(words) > 2:
            assert parses(tuple("{}" if word.startswith("file://") else word for word in words))


# ------------------------------------------------------------------ GitHub Actions


def workflow() -> Any:
    return yaml.safe_load(WORKFLOW.read_text())


def test_the_workflow_is_one() -> None:
    found = workflow()
    assert set(found["on"]) == {"pull_request", "push"}
    for job in found["jobs"].values():
        assert job["runs-on"]
        for step in job["steps"]:
            assert ("uses" in step) != ("run" in step)


def test_the_workflow_gets_a_token_only_where_it_bakes() -> None:
    found = workflow()
    assert found["permissions"] == {}
    assert found["jobs"]["check"]["permissions"] == {"contents": "read"}
    assert found["jobs"]["bake"]["permissions"] == {"contents": "read", "id-token": "write"}
    assert found["jobs"]["bake"]["if"] == "github.event_name == 'push'"
    assert "secrets." not in WORKFLOW.read_text()


def test_nothing_of_an_event_is_pasted_into_a_script() -> None:
    for job in workflow()["jobs"].values():
        for step in job["steps"]:
            assert "${{" not in step.get("run", "")


def test_the_role_is_a_template_that_cloudformation_takes() -> None:
    found = lint_all(ROLE.read_text())
    assert [str(match) for match in found if not match.rule.id.startswith("I")] == []


def test_the_role_trusts_one_repository_and_one_branch() -> None:
    role = read(ROLE)["Resources"]["Role"]["Properties"]
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    asked = statement["Condition"]["StringEquals"]
    assert asked["token.actions.githubusercontent.com:aud"] == "sts.amazonaws.com"
    branch = "repo:${Repository}:ref:refs/heads/${Branch}"
    assert asked["token.actions.githubusercontent.com:sub"] == {"Fn::Sub": branch}
    (bake,) = (
        step["with"]
        for step in workflow()["jobs"]["bake"]["steps"]
        if "with" in step
        if "role-to-assume" in step["with"]
    )
    assert bake["role-duration-seconds"] <= role["MaxSessionDuration"]


@pytest.mark.parametrize("page", ["deploying.md", "upgrading.md"])
def test_links_of_the_pages_lead_somewhere(page: str) -> None:
    text = (ROOT / "docs" / page).read_text()
    for link in re.findall(r"\]\(([^)#]+)[^)]*\)", text):
        assert (ROOT / "docs" / link).exists(), link


def test_upgrade_notes_name_outputs_that_there_are() -> None:
    notes = (ROOT / "docs" / "upgrading.md").read_text()
    (line,) = (line for line in notes.splitlines() if "new outputs" in line)
    assert set(re.findall(r"`([A-Z]\w+)`", line)) <= set(TEMPLATE["Outputs"])
