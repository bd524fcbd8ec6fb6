"""Names, durations, facts, failures, events: the small values."""

from __future__ import annotations

import json

import pytest

from kiln.domain.documents import DocumentCall, encoded, encoded_lines, for_step
from kiln.domain.durations import seconds
from kiln.domain.events import InstanceStateChange, RolloutChanged
from kiln.domain.failure import LONGEST_CAUSE, Failure, tail
from kiln.domain.identity import parse_facts, shared_facts
from kiln.domain.naming import bake_id, blueprint_of, client_token, image_name
from kiln.domain.platforms import PLATFORMS, Architecture, Family, ImageName, family
from kiln.domain.rollout import rollout_id
from kiln.domain.stack import next_hostname, split_layer, stack_from
from kiln.domain.step import Step
from kiln.errors import InvalidBlueprint
from tests.builders import BAKE, NOW, a_stack


@pytest.mark.parametrize(
    ("text", "expected"), [("90s", 90), ("10m", 600), ("2h", 7200), ("30d", 2592000)]
)
def test_durations_are_read_by_their_unit(text: str, expected: int) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", "s", "10", "1w", "-5m", "1.5h", "99999999s"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        seconds(text)


def test_a_bake_id_tells_its_blueprint() -> None:
    bake = bake_id("my-web", NOW, "execution")
    assert bake == bake_id("my-web", NOW, "execution")
    assert blueprint_of(bake) == "my-web"


def test_what_is_no_bake_id_is_refused() -> None:
    with pytest.raises(ValueError, match="is not a bake id"):
        blueprint_of("web")


def test_an_image_name_is_the_same_for_the_same_bake() -> None:
    name = image_name("{blueprint} {version} {bake} {date}-{time}", BAKE, 7)
    assert name == f"web 7 {BAKE} 20261123-101500"
    assert len(image_name("x" * 128, BAKE, 1)) == 128


def test_a_client_token_is_short_and_tells_parts_apart() -> None:
    assert len(client_token("a", "b")) == 64
    assert client_token("a", "b") != client_token("ab", "")


def test_a_rollout_is_named_by_image_and_layer() -> None:
    assert rollout_id("ami-1", "shop/web") == "ami-1-shop-web"
    assert len(rollout_id("ami-" + "0" * 17, "s" * 48 + "/" + "l" * 48)) <= 80


def test_facts_are_lines_with_a_name_and_a_value() -> None:
    facts = parse_facts("machine_id=1\nnoise\nempty=\nnot a name=2\nhostname=a=b\n")
    assert facts == {"machine_id": "1", "hostname": "a=b"}
    assert shared_facts({"a": "1", "b": "2", "c": "3"}, {"a": "1", "b": "9"}) == ["a"]


def test_a_failure_is_read_out_of_lambdas_wrapping() -> None:
    wrapped = json.dumps({"errorMessage": "no base", "errorType": "BaseImageNotFound"})
    assert Failure(error="BaseImageNotFound", cause=wrapped).reason == "no base"
    assert Failure(error="E", cause="plain").reason == "plain"
    assert Failure(error="E", cause="[1]").reason == "[1]"
    assert len(Failure(error="E", cause="x" * 9_000).reason) == LONGEST_CAUSE


def test_a_reserved_error_name_is_not_carried_on() -> None:
    assert Failure(error="States.Timeout").name == "StepFunctions.Timeout"


def test_the_tail_is_the_end() -> None:
    assert tail(" short \n") == "short"
    assert tail("a" * 10 + "end", 3) == "...end"


def test_an_instance_event_has_opsworks_keys() -> None:
    event = InstanceStateChange(
        initiated_by="user",
        hostname="web1",
        stack_id="shop",
        layer_ids=("web",),
        instance_id="guid",
        ec2_instance_id="i-1",
        status="requested",
    )
    assert event.detail_type == "Instance State Change"
    keys = {"initiated_by", "hostname", "stack-id", "layer-ids", "instance-id", "ec2-instance-id"}
    assert set(event.detail()) == keys | {"status"}


def test_a_rollout_event_is_named_by_its_status() -> None:
    event = RolloutChanged(rollout="r", image="ami-1", layer="shop/web", status="Rolled Back")
    assert event.detail_type == "Rollout Rolled Back"


def test_every_platform_names_its_newest_base_or_has_none() -> None:
    for platform in PLATFORMS.values():
        newest = platform.newest_base(Architecture.X86_64)
        assert isinstance(newest, ImageName | str)
        assert "{" not in (newest if isinstance(newest, str) else newest.name)
    assert PLATFORMS["windows-2022"].newest_base(Architecture.ARM64) is None
    assert family("debian-12") is Family.DEB


def test_a_step_becomes_a_document_whose_values_mean_nothing_to_a_shell() -> None:
    text = "echo \"$(id)\" '{{ x }}'"
    call = for_step(Step(name="a", shell=text, environment={"A": "b\nc"}, timeout="5m"))
    assert call.name == "run-shell"
    line = "A=" + encoded("b\nc")
    assert call.parameters == {
        "Script": [encoded(text)],
        "Environment": [encoded_lines((line,))],
        "Timeout": ["300"],
    }
    assert set(call.parameters["Script"][0]) <= set(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
    )


@pytest.mark.parametrize(
    ("action", "name", "ours"),
    [
        ({"reboot": True}, "reboot-linux", True),
        ({"script": {"s3": "s3://bucket/key.sh"}}, "run-shell", True),
        ({"document": {"name": "mine", "parameters": {"A": "b", "C": ["d"]}}}, "mine", False),
        (
            {"chef": {"source": {"type": "S3", "path": "p"}, "run_list": ["recipe[a::b]"]}},
            "AWS-ApplyChefRecipes",
            False,
        ),
        (
            {"ansible": {"source": {"type": "GitHub", "owner": "o"}, "playbook": "site.yml"}},
            "AWS-ApplyAnsiblePlaybooks",
            False,
        ),
    ],
)
def test_each_action_has_its_document(action: dict[str, object], name: str, ours: bool) -> None:
    call: DocumentCall = for_step(Step.model_validate({"name": "a", **action}), script="echo hi")
    assert (call.name, call.ours) == (name, ours)
    assert all(isinstance(values, list) for values in call.parameters.values())


def test_a_script_file_that_nobody_read_is_refused() -> None:
    with pytest.raises(InvalidBlueprint, match=r"shell\.file is read by the kiln command"):
        for_step(Step.model_validate({"name": "a", "shell": {"file": "x.sh"}}))


def test_hostnames_take_the_lowest_free_number() -> None:
    assert next_hostname("web", set()) == "web1"
    assert next_hostname("web", {"web1", "web3"}) == "web2"
    assert split_layer("shop/web") == ("shop", "web")


def test_a_stack_knows_its_layers() -> None:
    stack = a_stack()
    assert stack.layer("app") is not None
    assert stack.layer("nope") is None


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        ({"kind": "autoscaling"}, "group: is required for kind autoscaling"),
        ({"kind": "instances", "group": "g"}, "group: is only for kind autoscaling"),
        ({"kind": "instances"}, "platform and instance_type: are required"),
        ({"kind": "instances", "platform": "beos"}, "'beos' is not a known platform"),
    ],
)
def test_a_layer_has_the_keys_of_its_kind(layer: dict[str, str], said: str) -> None:
    with pytest.raises(InvalidBlueprint, match=said):
        stack_from({"kind": "stack", "name": "shop", "layers": [{"name": "web", **layer}]})


def test_layers_of_one_name_are_refused() -> None:
    layer = {"name": "api", "kind": "autoscaling", "group": "g"}
    with pytest.raises(InvalidBlueprint, match="the name 'api' is used twice"):
        stack_from({"kind": "stack", "name": "shop", "layers": [layer, layer]})
    with pytest.raises(InvalidBlueprint, match="must be a mapping"):
        stack_from("stack")
