"""Functions and state machines call AWS with their own roles: none is refused, and nothing that a
role allows is more than its code can use.

One local AWS, in which images are baked, distributed and put to work, and then what seldom
happens is done on purpose. What its roles allowed is compared with the template, statement by
statement.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from kiln.domain.naming import bake_id
from kiln.domain.rollout import RolloutStatus
from kiln.domain.stack import stack_from
from kiln.steps._hooks import put_hooks
from kiln.wiring import world
from kiln_local.iam.comparison import Row, compared, unused_resources
from kiln_local.iam.evaluation import Policies, decide
from kiln_local.iam.ledger import Use
from kiln_local.iam.principals import identity, role_of, session
from kiln_local.iam.statements import Statement
from kiln_local.world import LocalAws
from tests.builders import a_version
from tests.e2e.layers import Layers
from tests.e2e.running import befriend
from tests.e2e.seldom import act, act_as_machine, fail
from tests.e2e.stage import FRIEND, PARAMETERS, Stage
from tests.e2e.triggers import AL2023, Followers
from tests.integration.local.crowds import Crowd
from tests.integration.local.shelves import Shelves
from tests.integration.local.worlds import until
from tests.notices import event
from tools.step_calls import every_operation, reached

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.long, pytest.mark.timeout(240)]
DEBIAN = {
    "kind": "blueprint",
    "platform": "debian-12",
    "base": {"parameter": "/aws/service/debian/release/12/latest/amd64"},
}
FAILING = DEBIAN | {"name": "failing", "verify": {"steps": [{"name": "no", "shell": "exit 1"}]}}
# Two copies, one of which EC2 fails: everything of a distribution.
ABROAD = DEBIAN | {
    "name": "abroad",
    "builder": {"volume": {"kms_key": "alias/images"}},
    "distribute": {
        "regions": [
            {"region": "us-east-1", "kms_key": "alias/images"},
            {"region": "us-east-2", "kms_key": "alias/images"},
        ],
        "accounts": [FRIEND],
        "copyable": True,
        "parameter": "/images/abroad",
        "launch_templates": [{"region": "us-east-1", "name": "abroad", "default": True}],
        "fast_snapshot_restore": ["us-east-1a"],
    },
}


@pytest.fixture(scope="module")
def run() -> Iterator[tuple[LocalAws, int]]:
    """A local AWS in which all of it has happened, and how many calls of it were refused before
    anything was done on purpose."""
    with LocalAws(ROOT, speed=200, parameters=PARAMETERS) as aws:
        befriend(aws, FRIEND, PARAMETERS["DistributionRole"])
        _happen(aws)
        refused = len(aws.iam.ledger.refused)
        stage = Stage(aws, "shop-api")
        for who in aws.iam.roles:
            if "(state machine)" not in who:
                act(stage, who)
        for name, machine in aws.outputs.items():
            if name.endswith("StateMachineArn"):
                act_as_machine(stage, machine)
        fail(stage)
        yield aws, refused


@pytest.fixture(scope="module")
def aws(run: tuple[LocalAws, int]) -> LocalAws:
    """That local AWS."""
    return run[0]


@pytest.fixture(scope="module")
def rows(aws: LocalAws) -> list[Row]:
    """What each role allows, and what it was used for."""
    return compared(aws.iam.roles, aws.iam.ledger.uses())


def test_no_call_is_refused(run: tuple[LocalAws, int]) -> None:
    aws, refused = run
    _none(refusal.text for refusal in aws.iam.ledger.refused[:refused])


def test_every_allowed_action_is_used(rows: list[Row]) -> None:
    _none(row.where for row in rows if not row.used_by)


def test_every_resource_that_a_statement_names_is_used(aws: LocalAws, rows: list[Row]) -> None:
    _none(unused_resources(rows, aws.iam.ledger.uses()))


def test_whatever_a_step_can_come_to_its_role_allows(aws: LocalAws) -> None:
    allowed = {(use.caller, use.operation) for use in aws.iam.ledger.uses()}
    refused = {(r.caller, r.operation) for r in aws.iam.ledger.refused} - allowed
    for who, operation in sorted(refused):
        assert operation not in _reached(who), f"{who} may not {operation}"


def test_every_call_of_a_function_is_in_the_service_models_of_its_layer(aws: LocalAws) -> None:
    uses = aws.iam.ledger.uses()
    made = {use.operation for use in uses if (ROOT / "functions" / use.caller).is_dir()}
    # Lambda itself puts an event that failed into the queue, with the function's role.
    assert made - every_operation() == {"sqs:SendMessage"}


def test_without_any_one_action_something_is_refused(aws: LocalAws) -> None:
    """Each action of each statement is taken away: a call of the run is refused without it."""
    uses = aws.iam.ledger.uses()
    _none(where for where, without in _mutants(aws) if not _refused(uses, *without))


def _none(found: Iterable[str]) -> None:
    lines = list(found)
    assert not lines, "\n".join(["there are:", *lines])


def _reached(who: str) -> set[str]:
    """What a step can come to; a service of AWS, as EventBridge, is no step. Whether a Region is
    of another account, the source does not tell."""
    known = (ROOT / "functions" / who).is_dir()
    return set(reached(who)) - {"sts:AssumeRole"} if known else set()


def _mutants(aws: LocalAws) -> Iterator[tuple[str, tuple[str, list[Statement]]]]:
    for who, arn in aws.iam.roles.items():
        statements = identity(role_of(arn))
        for index, one in enumerate(statements):
            for action in one.actions:
                left = tuple(other for other in one.actions if other != action)
                less = Statement(**{**vars(one), "actions": left})
                changed = [*statements[:index], less, *statements[index + 1 :]]
                yield f"{who}: statement {one.index}, {action}", (who, changed)


def _refused(uses: tuple[Use, ...], who: str, statements: list[Statement]) -> bool:
    """Whether a call of the run would be refused by other statements."""
    principal = session("arn:aws:iam::123456789012:role/mutant", "test")
    policies = Policies(principal, statements)
    return any(
        not decide(use.check, policies).allowed for use in uses if use.caller == who and use.grants
    )


# ------------------------------------------------------------ what happens


def _happen(aws: LocalAws) -> None:
    """Two images are baked, a third bake fails late, a fourth reaches one of two Regions and then
    the other, an image is promoted, others have their time, and layers change over to another
    one."""
    names = ("al2023-web", "opsworks-ubuntu-1804-chef12")
    blueprints = [yaml.safe_load((ROOT / f"blueprints/{n}.yaml").read_text()) for n in names]
    blueprints[0]["distribute"] = {"channel_parameters": {"staging": "/images/staging"}}
    shop = yaml.safe_load((ROOT / "stacks/shop.yaml").read_text())
    # More than a command's parameters hold, however well it is packed.
    shop["custom_json"]["noise"] = random.Random(1).randbytes(30_000).hex()
    world().records.put_stack(stack_from(shop))
    aws.session().client("ec2", region_name="us-east-1").create_launch_template(
        LaunchTemplateName="abroad", LaunchTemplateData={"InstanceType": "m7i.large"}
    )
    aws.copies.fail("us-east-2")
    for blueprint in (*blueprints, FAILING, ABROAD):
        _bake(aws, blueprint)
    _distribute_again(aws)
    until(lambda: all(_ended(aws, name) for name in ("shop-web", "shop-app")), 60)
    layers = Layers(aws)
    image = layers.image()
    layers.announce(image, {"web": "replace"})
    assert layers.rollout(image, "web").status is RolloutStatus.SUCCEEDED
    layers.quiet()
    _refresh(layers, image)
    _promote(aws, names[0])
    _follow(Followers(aws))
    _prune(Shelves(aws))
    sweeper = aws.outputs["SweepFunctionName"]
    aws.session().client("lambda").invoke(FunctionName=sweeper, Payload=b"{}")


def _follow(followers: Followers) -> None:
    """A base changes, and two look: the second finds the bake of the first."""
    followers.add("follows", {"parameter": AL2023})
    lookup = {"lookup": {"owner": "136693071363", "name": "debian-12-amd64-*"}}
    document = FAILING | {"name": "looks-up", "base": lookup}
    followers.kiln.versions.add(a_version(blueprint="looks-up", document=document))
    followers.image("looks-up", "ami-00000000")
    followers.aws.releases.publish(AL2023)
    assert len(followers.invoke(event())["started"]) == 2
    assert followers.invoke(event())["started"] == []


def _promote(aws: LocalAws, blueprint: str) -> None:
    answer = (
        aws.session()
        .client("lambda")
        .invoke(
            FunctionName=aws.outputs["PromoteImageFunctionName"],
            Payload=json.dumps({"target": blueprint, "to": "staging"}),
        )
    )
    assert "FunctionError" not in answer, answer["Payload"].read()


def _prune(shelves: Shelves) -> None:
    """One image of each thing that becomes of old ones."""
    steps = {"deprecate": {"after": "30d"}, "disable": {"after": "60d"}, "delete": {"after": "90d"}}
    shelves.blueprint("aged", steps)
    ages = {days: shelves.image("aged", days, "us-east-1") for days in (1, 40, 70, 95, 100, 105)}
    records = shelves.kiln.records
    # One was shared and disabled, and is in use; the deletion of another one broke off.
    shared = {"status": "disabled", "accounts": ("210987654321",)}
    (place, _) = records.places(ages[95])
    records.put_place(ages[95], place.model_copy(update=shared))
    shelves.ec2().disable_image(ImageId=ages[95])
    shelves.template("aged", ages[95])
    (place, _) = records.places(ages[100])
    records.put_place(ages[100], place.model_copy(update={"status": "deleting"}))
    shelves.ec2().deregister_image(ImageId=ages[100])
    image = records.image(ages[105])
    assert image is not None
    records.put_image(image.model_copy(update={"root_device": "instance-store"}))
    client = shelves.client("s3")
    bucket, _, prefix = shelves.kiln.bundles.location(image.bake).partition("/")
    client.put_object(Bucket=bucket, Key=f"{prefix}/image.part.0", Body=b"part")
    assert not shelves.prune()["busy"]
    states = {days: shelves.state(name) for days, name in ages.items()}
    assert states == {
        1: "available",
        40: "available",
        70: "disabled",
        95: "available",
        100: "gone",
        105: "gone",
    }


def _distribute_again(aws: LocalAws) -> None:
    aws.copies.mend("us-east-2")
    world().versions.add(a_version(blueprint="abroad", document=ABROAD))
    image = world().records.images("abroad")[0].id
    _run(aws, "DistributionStateMachineArn", "again", {"image": image, "newest": True})


def _refresh(layers: Layers, image: str) -> None:
    """An instance of an Auto Scaling group joins, and is replaced by one of an image."""
    group = Crowd(layers.outside, "shop-api", 0)
    api: dict[str, Any] = {"name": "api", "kind": "autoscaling", "group": "shop-api"}
    api |= {"recipes": {"setup": ["true"]}, "blueprints": [{"blueprint": "shop"}]}
    api["refresh"] = {"instance_warmup": "1s"}
    stack = stack_from({"kind": "stack", "name": "grown", "layers": [api]})
    layers.kiln.records.put_stack(stack)
    put_hooks(stack, None, layers.kiln)
    group.api.set_desired_capacity(AutoScalingGroupName="shop-api", DesiredCapacity=1)
    group.settled(1)
    layers.announce(image, {})
    until(lambda: group.versions == ["2"])
    layers.quiet()
    assert [entry.image for entry in layers.kiln.records.instances("grown")] == [image]


def _bake(aws: LocalAws, blueprint: dict[str, Any]) -> None:
    bake = bake_id(blueprint["name"], aws.clock.now(), "x")
    _run(aws, "BakeStateMachineArn", bake, {"blueprint": blueprint})


def _run(aws: LocalAws, machine: str, name: str, given: dict[str, Any]) -> None:
    client = aws.session().client("stepfunctions")
    arn = client.start_execution(
        stateMachineArn=aws.outputs[machine], name=name, input=json.dumps(given)
    )["executionArn"]
    until(lambda: client.describe_execution(executionArn=arn)["status"] != "RUNNING", 60)


def _ended(aws: LocalAws, layer: str) -> bool:
    client = aws.session().client("stepfunctions")
    machine = {"stateMachineArn": aws.outputs["RolloutStateMachineArn"]}
    for run in (runs := client.list_executions(**machine)["executions"]):
        told = client.describe_execution(executionArn=run["executionArn"])
        assert run["status"] != "FAILED", told["cause"]
    return any(run["name"].endswith(layer) and run["status"] == "SUCCEEDED" for run in runs)
