"""Launching, waiting, running, stopping, imaging: the middle of a bake."""

from __future__ import annotations

from typing import Any

import pytest

from kiln.domain.bake import Adoption
from kiln.domain.naming import TAG_CHEF, TAG_LAYER, TAG_ROLE
from kiln.errors import (
    AwsRefused,
    ImageFailed,
    ImageRefused,
    InvalidBlueprint,
    LaunchRefused,
    NoCapacity,
    StepFailed,
    StopFailed,
    VerificationFailed,
)
from kiln.ports import StepResult
from kiln.steps.launch_builder import LaunchBuilder, launch_builder
from kiln.steps.run_step import RunStep, run_step
from kiln.steps.stop_builder import StopBuilder, stop_builder
from kiln.steps.verify_image import CommandRef, VerifyImage, verify_image
from tests.builders import BAKE, a_document, a_plan, a_record, a_stack, an_image
from tests.fakes import FakeWorld

REFUSAL = AwsRefused("ec2", "RunInstances", "UnauthorizedOperation", "no")


def a_world(document: dict[str, Any] | None = None, **plan: Any) -> FakeWorld:
    """A world in which a bake was planned."""
    fake = FakeWorld()
    fake.records.add_bake(a_record(a_plan(document, **plan)))
    fake.records.put_stack(a_stack())
    return fake


def launched(fake: FakeWorld, role: Any = "builder", image: str | None = None) -> str:
    """Launch the builder or a clone."""
    return launch_builder(LaunchBuilder(bake=BAKE, role=role, image=image), fake.world).instance


def test_a_builder_is_launched_with_its_tags_and_waited_for() -> None:
    fake = a_world()
    answer = launch_builder(LaunchBuilder(bake=BAKE), fake.world)
    order = fake.fleet.orders[0]
    assert answer.wait_s == 1200
    assert order.tags["kiln:bake"] == BAKE
    assert order.tags["kiln:managed"] == "true"
    assert order.tags["kiln:platform"] == "amazon-linux-2023"


def test_launching_twice_gives_one_instance() -> None:
    fake = a_world()
    assert launched(fake) == launched(fake)
    assert len(fake.fleet.orders) == 1


def test_a_lost_answer_does_not_lead_to_a_second_type() -> None:
    fake = a_world()
    first = launched(fake)
    fake.fleet.short = {("m7i.large", None)}
    assert launched(fake) == first


def test_the_next_type_and_subnet_are_tried_when_there_is_no_capacity() -> None:
    fake = a_world(subnets=("subnet-a", "subnet-b"))
    fake.fleet.short = {
        ("m7i.large", "subnet-a"),
        ("m7i.large", "subnet-b"),
        ("m6i.large", "subnet-a"),
    }
    launched(fake)
    assert (fake.fleet.orders[0].instance_type, fake.fleet.orders[0].subnet) == (
        "m6i.large",
        "subnet-b",
    )


def test_no_capacity_anywhere_names_every_try() -> None:
    fake = a_world()
    fake.fleet.short = {("m7i.large", None), ("m6i.large", None)}
    with pytest.raises(NoCapacity, match=r"m7i\.large in the default subnet.*m6i\.large") as found:
        launched(fake)
    assert "name more builder.instance_types" in str(found.value)


def test_a_refused_launch_says_why() -> None:
    fake = a_world()
    fake.fleet.refusal = REFUSAL
    with pytest.raises(LaunchRefused, match="UnauthorizedOperation"):
        launched(fake)


def test_a_clone_runs_the_image_and_is_not_the_builder() -> None:
    fake = a_world()
    builder = launched(fake)
    assert launched(fake, "clone", an_image().id) != builder
    assert [order.tags[TAG_ROLE] for order in fake.fleet.orders] == ["builder", "clone"]


def test_a_clone_of_an_image_that_is_gone_is_refused() -> None:
    with pytest.raises(LaunchRefused, match="ami-gone is gone"):
        launched(a_world(), "clone", "ami-gone")


def test_a_bake_without_a_record_is_told_so() -> None:
    with pytest.raises(InvalidBlueprint, match="has no record"):
        launched(FakeWorld())


def test_an_adopted_instance_enters_the_stack_with_healing_off() -> None:
    adoption = Adoption(stack="shop", layer="app", chef="12", hostname="app1")
    fake = a_world(adoption=adoption)
    instance = launched(fake)
    launched(fake)
    assert fake.records.healing_holds("shop/app") == {BAKE}
    (entry,) = fake.records.instances("shop")
    assert (entry.hostname, entry.ec2_id, entry.state.value) == ("app1", instance, "pending")
    tags = fake.fleet.orders[0].tags
    assert (tags[TAG_LAYER], tags[TAG_CHEF]) == ("shop/app", "12")
    assert fake.bus.types() == ["Instance State Change"] * 2
    launched(fake, "clone", an_image().id)
    assert TAG_CHEF not in fake.fleet.orders[1].tags


def sent(fake: FakeWorld, purpose: Any, **more: Any) -> Any:
    """Send one of the bake's commands."""
    return run_step(RunStep(bake=BAKE, purpose=purpose, instance="i-1", **more), fake.world)


def test_each_purpose_sends_its_document() -> None:
    fake = a_world(a_document(verify={"steps": [{"name": "serves", "shell": "true"}]}))
    labels = [sent(fake, "step").label, sent(fake, "prepare").label, sent(fake, "clean").label]
    labels += [sent(fake, "verify", builder="i-0").label, sent(fake, "test").label]
    assert labels == [
        "step 'tune'",
        "the preparation",
        "the clean-up",
        "the verification",
        "test 'serves'",
    ]
    names = [order.call.name for order in fake.commands.sent.values()]
    assert names == ["run-shell", "prepare-linux", "clean-linux", "verify-linux", "run-shell"]
    assert len({order.comment for order in fake.commands.sent.values()}) == 5
    assert all(len(order.comment) <= 100 for order in fake.commands.sent.values())


def test_a_command_is_sent_once() -> None:
    fake = a_world()
    assert sent(fake, "step").command == sent(fake, "step").command
    assert len(fake.commands.sent) == 1


def test_a_script_in_s3_is_read_and_sent() -> None:
    fake = a_world(a_document(steps=[{"name": "s", "script": {"s3": "s3://bucket/x.sh"}}]))
    with pytest.raises(InvalidBlueprint, match="cannot be read"):
        sent(fake, "step")
    fake.scripts.texts["s3://bucket/x.sh"] = "echo from s3"
    assert sent(fake, "step").purpose == "step"


def test_a_document_that_is_refused_fails_the_step() -> None:
    fake = a_world()
    fake.commands.refusal = AwsRefused("ssm", "SendCommand", "InvalidDocument", "no such thing")
    with pytest.raises(
        StepFailed, match="step 'tune': document run-shell could not be sent to i-1"
    ):
        sent(fake, "step")


def test_waits_never_pass_the_deadline() -> None:
    fake = a_world(a_document(deadline="10m"))
    fake.clock.move(300)
    assert sent(fake, "step").wait_s == 300
    fake.clock.move(3600)
    assert sent(fake, "clean").wait_s == 1


def test_the_builder_is_asked_to_stop() -> None:
    fake = a_world()
    instance = launched(fake)
    answer = stop_builder(StopBuilder(bake=BAKE, instance=instance), fake.world)
    assert answer.wait_s == 1800
    assert fake.fleet.instances[instance].state == "stopping"
    fake.fleet.refusal = REFUSAL
    with pytest.raises(StopFailed, match=f"{instance} could not be stopped"):
        stop_builder(StopBuilder(bake=BAKE, instance=instance), fake.world)


def judged(builder: str, clone: str) -> Any:
    """Judge a clone by what the documents printed."""
    fake = FakeWorld()
    fake.commands.end("p", "Success", StepResult("facts", "Success", 0, builder))
    fake.commands.end("v", "Success", StepResult("facts", "Success", 0, clone))
    request = VerifyImage(
        bake=BAKE,
        builder=CommandRef(instance="i-1", command="p"),
        clone=CommandRef(instance="i-2", command="v"),
    )
    return verify_image(request, fake.world)


def test_a_clone_with_an_identity_of_its_own_passes() -> None:
    answer = judged("machine_id=1\nonly_here=x\n", "machine_id=2\n")
    assert answer.builder == {"machine_id": "1", "only_here": "x"}
    assert answer.clone == {"machine_id": "2", "only_here": None}


def test_a_clone_with_the_builders_identity_fails() -> None:
    with pytest.raises(VerificationFailed, match="has the builder's machine_id, hostname"):
        judged("machine_id=1\nhostname=a\n", "machine_id=1\nhostname=a\n")


def test_no_facts_prove_nothing() -> None:
    with pytest.raises(VerificationFailed, match="printed no identity facts"):
        judged("", "machine_id=1\n")


def test_an_error_keeps_its_place_in_the_tree() -> None:
    assert not issubclass(ImageFailed, ImageRefused)
