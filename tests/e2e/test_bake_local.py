"""`kiln bake --local`: the whole template in the local AWS, documents run on real files."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from kiln.domain.stack import stack_from
from kiln.errors import BaseImageNotFound, IncompatibleBase, InvalidBlueprint, Refused
from kiln_cli import baking
from kiln_cli.opening import Opened
from kiln_cli.result import BakeResult
from tests.e2e.running import AMAZON, ROOT, bake, kiln, write

EXAMPLES = ("al2023-web", "opsworks-ubuntu-1804-chef12")
pytestmark = pytest.mark.timeout(120)


def test_the_examples_are_baked_proved_and_rolled_out_one_after_the_other() -> None:
    ran = kiln("bake", *(f"blueprints/{name}.yaml" for name in EXAMPLES), "--local", "--json")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    results = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [result["bake"]["blueprint"] for result in results] == list(EXAMPLES)
    for result in results:
        check_example(result)


def check_example(result: dict[str, Any]) -> None:
    assert set(result) == set(BakeResult.model_fields)
    bake, image = result["bake"], result["image"]
    assert set(bake) == {"id", "blueprint", "version", "status", "error", "cause"}
    ended = bake["version"], bake["status"], bake["error"], bake["cause"]
    assert ended == (1, "SUCCEEDED", None, None)
    assert (image["state"], image["root_device"]) == ("available", "ebs")
    assert image["tags"].items() >= {"team": "shop", "kiln:bake": bake["id"]}.items()
    assert result["leaks"] == []
    check_commands(result["commands"])
    check_identity(result["identity"])
    check_times(result)
    (rollout,) = result["rollouts"]
    assert rollout["status"] == "SUCCEEDED"
    assert [instance["state"] for instance in rollout["instances"]] == ["online"]
    assert result["calls"]["ec2:RunInstances"] == 3
    assert result["calls"]["ec2:CreateImage"] == 1


def check_commands(commands: list[dict[str, Any]]) -> None:
    assert all(command["ran"] for command in commands)
    assert all(command["status"] == "Success" for command in commands)
    assert all(step["exit_code"] == 0 for command in commands for step in command["steps"])
    assert set(commands[0]) == {"document", "instance", "status", "ran", "steps"}
    documents = [command["document"] for command in commands]
    for document in ("kiln-prepare-linux", "kiln-clean-linux", "kiln-verify-linux"):
        assert documents.count(document) == 1


def check_identity(identity: dict[str, dict[str, str]]) -> None:
    assert {"machine_id", "hostname", "ssh_host_ed25519_key"} <= identity["builder"].keys()
    assert {"machine_id", "hostname", "ssh_host_ed25519_key"} <= identity["clone"].keys()
    for fact, value in identity["builder"].items():
        assert identity["clone"][fact] != value, fact


def check_times(result: dict[str, Any]) -> None:
    states = result["states"]
    assert [states[0]["name"], states[-1]["name"]] == ["PlanBake", "BakeSucceeded"]
    entered = [state["entered_s"] for state in states]
    assert entered == sorted(entered)
    assert all(state["entered_s"] <= state["exited_s"] for state in states)
    assert states[-1]["exited_s"] <= result["makespan_s"] + 0.001
    assert 0 < result["aws_s"] <= result["makespan_s"]


@pytest.mark.long
def test_a_refusal_is_one_line_and_launches_nothing(tmp_path: Path) -> None:
    path = write(tmp_path, builder={"instance_types": ["m7g.large"]})
    ran = kiln("bake", f"blueprints/{EXAMPLES[0]}.yaml", path, "--local", "--json")
    assert ran.returncode == 2
    (line,) = ran.stderr.splitlines()
    assert line.startswith(f"kiln: {path}: builder.instance_types: ")
    assert "m7g.large runs arm64, the base is x86_64" in line
    said = {"error": "IncompatibleBase", "message": line.removeprefix("kiln: ")}
    assert json.loads(ran.stdout) == said


@pytest.mark.long
def test_a_clean_up_that_leaves_something_loses_its_image(tmp_path: Path) -> None:
    project = tmp_path / "project"
    for part in ("functions", "statemachine", "documents", "layers", "stacks", "blueprints"):
        shutil.copytree(ROOT / part, project / part)
    shutil.copy(ROOT / "template.yaml", project)
    document = project / "documents" / "kiln-clean-linux.yaml"
    lines = document.read_text().splitlines(keepends=True)
    kept = [line for line in lines if line.split() != ["opsworks", "/etc/chef"]]
    assert len(kept) == len(lines) - 1
    document.write_text("".join(kept))
    blueprint = project / "blueprints" / f"{EXAMPLES[1]}.yaml"
    ran = kiln("bake", blueprint, "--local", "--json", "--project", project, "--speed", 300)
    assert ran.returncode == 1
    result = json.loads(ran.stdout)
    assert result["bake"]["error"] == "VerificationFailed"
    assert "/etc/chef" in result["bake"]["cause"]
    assert (result["image"], result["leaks"], result["rollouts"]) == (None, [], [])
    assert result["calls"]["ec2:CreateImage"] == result["calls"]["ec2:DeregisterImage"] == 1


# ---------------------------------------------------------------- in one local AWS


RED_HAT = {"owner": "309956199498", "name": "RHEL-9.*_HVM-*-x86_64-*"}
REFUSED: dict[str, tuple[type[Refused], str, dict[str, Any]]] = {
    "image that does not exist": (
        BaseImageNotFound,
        "base.image: ami-0123456789abcdef0 does not exist",
        {"base": {"image": "ami-0123456789abcdef0"}},
    ),
    "parameter that does not exist": (
        BaseImageNotFound,
        "base.parameter: /no/such does not exist",
        {"base": {"parameter": "/no/such"}},
    ),
    "name that no image has": (
        BaseImageNotFound,
        "base.lookup: no image of 099720109477",
        {"base": {"lookup": {"owner": "099720109477", "name": "no-such-*"}}},
    ),
    "blueprint without an image": (
        BaseImageNotFound,
        "base.blueprint: other has no image yet",
        {"base": {"blueprint": "other"}},
    ),
    "layer that does not exist": (
        InvalidBlueprint,
        "base.layer: shop/none is not a layer of an applied stack; known: shop/web",
        {"base": {"layer": "shop/none"}},
    ),
    "layer of another platform": (
        InvalidBlueprint,
        "platform: amazon-linux-2023 is not the platform of layer shop/app",
        {"base": {"layer": "shop/app"}},
    ),
    "paravirtual base on a type of today": (
        IncompatibleBase,
        "builder.instance_types: .*m7i.large needs hvm virtualization, the base is paravirtual",
        {"platform": "amazon-linux-1", "base": {"parameter": f"{AMAZON}/amzn-ami-pv-x86_64-ebs"}},
    ),
    "Arm type for an x86 base": (
        IncompatibleBase,
        "m7g.large runs arm64, the base is x86_64",
        {"builder": {"instance_types": ["m7i.large", "m7g.large"]}},
    ),
    "type that does not exist": (
        InvalidBlueprint,
        "builder.instance_types: m99.large is not an instance type",
        {"builder": {"instance_types": ["m99.large"]}},
    ),
    "instance store on a type of today": (
        IncompatibleBase,
        "m7i.large boots from ebs, the image's root is instance-store",
        {"root_device": "instance-store"},
    ),
    "lock to a release that never was": (
        InvalidBlueprint,
        "release_lock: 2023.8.20250819 is no release of amazon-linux-2023: EC2 has no image of it",
        {"release_lock": "2023.8.20250819"},
    ),
    "lock to a release that the base has left behind": (
        IncompatibleBase,
        "release_lock: base .* is already at 2023.8.20250818 and cannot go back to 2023.7.20250331",
        {"release_lock": "2023.7.20250331"},
    ),
    "lock to a minor release that never was": (
        InvalidBlueprint,
        "release_lock: 9.9 is no release of rhel-9: EC2 has no image of it",
        {"platform": "rhel-9", "base": {"lookup": RED_HAT}, "release_lock": "9.9"},
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_baked_is_refused_before_a_launch(
    what: str, at: Opened, tmp_path: Path
) -> None:
    error, words, changes = REFUSED[what]
    path = write(tmp_path, name="refused", **changes)
    with pytest.raises(error, match=words) as refused:
        bake(path, at)
    assert str(refused.value).startswith(f"{path}: ")
    assert "\n" not in str(refused.value)
    assert at.place.world.records.bakes("refused") == ()
    assert at.place.world.versions.get("refused") is None


def test_a_step_that_fails_fails_the_bake_and_leaves_nothing(at: Opened, tmp_path: Path) -> None:
    # More than Run Command shows of an output: it is the beginning that it shows.
    shell = "seq 20000 >&2\necho why it broke >&2\nexit 3"
    path = write(tmp_path, steps=[{"name": "break it", "shell": shell}])
    result = bake(path, at)
    assert (result.bake.status, result.bake.error) == ("FAILED", "StepFailed")
    for words in ("'break it'", "exited 3", "why it broke"):
        assert words in (result.bake.cause or "")
    assert (result.image, result.identity, result.leaks) == (None, None, ())
    assert result.states[-1].name == "BakeFailed"
    assert result.commands[-1].steps[-1].exit_code == 3
    assert at.place.world.fleet.of_bake(result.bake.id) == ()


def test_a_step_that_the_local_aws_cannot_run_is_told_as_not_run(
    at: Opened, tmp_path: Path
) -> None:
    chef = {"source": {"type": "S3", "path": "https://s3.example/cooks.zip"}, "run_list": ["web"]}
    ansible = {"source": {"type": "S3", "path": "https://s3.example/plays"}, "playbook": "a.yml"}
    steps = [{"name": "cook", "chef": chef}, {"name": "play", "ansible": ansible}]
    result = bake(write(tmp_path, steps=steps), at)
    assert (result.bake.status, result.bake.cause) == ("SUCCEEDED", None)
    told = [(c.document, c.ran, c.why_not) for c in result.commands][:2]
    said = "The local AWS does not run {}; this step was not run."
    assert told == [
        ("AWS-ApplyChefRecipes", False, said.format("Chef recipes")),
        ("AWS-ApplyAnsiblePlaybooks", False, said.format("Ansible playbooks")),
    ]


def test_a_builder_is_kept_where_the_blueprint_says_so(at: Opened, tmp_path: Path) -> None:
    path = write(tmp_path, on_failure="keep", steps=[{"name": "break", "shell": "exit 3"}])
    result = bake(path, at)
    assert result.bake.status == "FAILED"
    (builder,) = at.place.world.fleet.of_bake(result.bake.id)
    assert builder.state == "running"
    assert f"aws ssm start-session --target {builder.id}" in (result.bake.cause or "")
    assert result.leaks == ()
    at.place.world.fleet.terminate([builder.id])


def test_a_failed_rollout_leaves_the_bake_succeeded(at: Opened, tmp_path: Path) -> None:
    document = yaml.safe_load((ROOT / "stacks/shop.yaml").read_text()) | {"name": "other"}
    records = at.place.world.records
    records.put_stack(stack_from(document))
    path = write(tmp_path, layers=[{"layer": "other/web", "strategy": "add"}])
    wanted = baking.wanted_from(str(path), path, at.place)
    plan = baking.check(wanted, at.place)
    baking.start(wanted, plan, at.place)
    while records.bake(plan.bake) is None:
        at.pace.sleep(1)
    # The layer goes while its image is baked.
    records.put_stack(stack_from(document | {"layers": []}))
    result = baking.finish(plan, at.place, at.ledger, at.pace)
    assert (result.bake.status, result.bake.cause) == ("SUCCEEDED", None)
    (rollout,) = result.rollouts
    assert rollout.status == "FAILED"
    assert "other/web" in (rollout.cause or "")
    assert not result.succeeded


def test_the_base_of_a_base_is_baked_first_and_brought_to_its_channel(
    at: Opened, tmp_path: Path
) -> None:
    pointer = {"channel_parameters": {"prod": "/images/below"}}
    write(tmp_path, name="below", distribute=pointer).rename(tmp_path / "below.yaml")
    path = write(tmp_path, name="above", base={"blueprint": "below", "channel": "prod"})
    wanted = baking.wanted_from(str(path), path, at.place)
    baking.bake_bases(wanted, at.place, at.pace)
    (made,) = at.place.world.records.images("below")
    assert baking.check(wanted, at.place).base.id == made.id
    assert at.place.world.parameters.read("/images/below") == made.id


def test_blueprints_that_are_each_other_s_base_are_refused(at: Opened, tmp_path: Path) -> None:
    write(tmp_path, name="below", base={"blueprint": "above"}).rename(tmp_path / "below.yaml")
    path = write(tmp_path, name="above", base={"blueprint": "below"})
    wanted = baking.wanted_from(str(path), path, at.place)
    with pytest.raises(InvalidBlueprint, match="above is its own base in the end"):
        baking.bake_bases(wanted, at.place, at.pace)


def test_an_execution_under_a_name_of_its_own_is_told_from_its_record(
    at: Opened, tmp_path: Path
) -> None:
    path = write(tmp_path, name="named", steps=[{"name": "break", "shell": "exit 3"}])
    wanted = baking.wanted_from(str(path), path, at.place)
    stepfunctions = at.place.client("stepfunctions")
    started = stepfunctions.start_execution(
        stateMachineArn=at.place.bake_machine,
        name="from-the-console",
        input=json.dumps({"blueprint": wanted.document}),
    )
    while True:
        found = stepfunctions.describe_execution(executionArn=started["executionArn"])
        if found["status"] != "RUNNING":
            break
        at.pace.sleep(10)
    (record,) = at.place.world.records.bakes("named")
    result = baking.gather(at.place, at.ledger, record.plan.bake)
    assert (result.bake.status, result.bake.error) == ("FAILED", "StepFailed")
    assert result.states == ()
