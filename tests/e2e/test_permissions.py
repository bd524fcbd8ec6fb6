"""Every call that a function makes is one that its own policy allows, by name."""

from __future__ import annotations

import json
import random
import re
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
import yaml

from kiln.domain.naming import bake_id
from kiln.domain.rollout import RolloutStatus
from kiln.domain.stack import stack_from
from kiln.steps._hooks import put_hooks
from kiln.wiring import world
from kiln_local.template import read
from kiln_local.world import LocalAws
from tests.builders import a_version
from tests.e2e.layers import Layers
from tests.e2e.triggers import AL2023, Followers
from tests.integration.local.crowds import Crowd
from tests.integration.local.shelves import Shelves
from tests.integration.local.worlds import until
from tests.notices import event

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.long, pytest.mark.timeout(120)]
# Operations whose action has another name (Service Authorization Reference, S3).
ACTIONS = {"s3:ListObjectsV2": "s3:ListBucket", "s3:DeleteObjects": "s3:DeleteObject"}
FAILING = {
    "kind": "blueprint",
    "name": "failing",
    "platform": "debian-12",
    "base": {"parameter": "/aws/service/debian/release/12/latest/amd64"},
    "verify": {"steps": [{"name": "no", "shell": "exit 1"}]},
}
# Two copies, one of which EC2 fails: everything of a distribution but other accounts.
ABROAD = {
    "kind": "blueprint",
    "name": "abroad",
    "platform": "debian-12",
    "base": {"parameter": "/aws/service/debian/release/12/latest/amd64"},
    "builder": {"volume": {"kms_key": "alias/images"}},
    "distribute": {
        "regions": [
            {"region": "us-east-1", "kms_key": "alias/images"},
            {"region": "us-east-2", "kms_key": "alias/images"},
        ],
        "accounts": ["210987654321"],
        "copyable": True,
        "parameter": "/images/abroad",
        "launch_templates": [{"region": "us-east-1", "name": "abroad", "default": True}],
        "fast_snapshot_restore": ["us-east-1a"],
    },
}


def test_no_function_calls_what_its_policy_does_not_name() -> None:
    called = _calls()
    allowed = _allowed()
    assert called.keys() == allowed.keys()
    for function, operations in called.items():
        assert operations <= allowed[function], function


def _calls() -> dict[str, set[str]]:
    """What each function called while two images were baked, a third bake failed late, a fourth
    reached one of two Regions, an image was promoted, and a layer changed over to another one."""
    names = ("al2023-web", "opsworks-ubuntu-1804-chef12")
    blueprints = [yaml.safe_load((ROOT / f"blueprints/{n}.yaml").read_text()) for n in names]
    blueprints[0]["distribute"] = {"channel_parameters": {"staging": "/images/staging"}}
    with LocalAws(ROOT, speed=200) as aws:
        shop = yaml.safe_load((ROOT / "stacks/shop.yaml").read_text())
        # More than a command's parameters hold, however well it is packed.
        shop["custom_json"]["noise"] = random.Random(1).randbytes(30_000).hex()
        world().records.put_stack(stack_from(shop))
        aws.copies.fail("us-east-2")
        aws.session().client("ec2", region_name="us-east-1").create_launch_template(
            LaunchTemplateName="abroad", LaunchTemplateData={"InstanceType": "m7i.large"}
        )
        for blueprint in (*blueprints, FAILING, ABROAD):
            _bake(aws, blueprint)
        _until(lambda: all(_ended(aws, name) for name in ("shop-web", "shop-app")))
        _promote(aws, names[0])
        layers = Layers(aws)
        image = layers.image()
        layers.announce(image, {"web": "replace"})
        assert layers.rollout(image, "web").status is RolloutStatus.SUCCEEDED
        layers.quiet()
        _refresh(layers, image)
        _prune(Shelves(aws))
        sweeper = aws.outputs["SweepFunctionName"]
        aws.session().client("lambda").invoke(FunctionName=sweeper, Payload=b"{}")
        _follow(Followers(aws))
        found: dict[str, set[str]] = defaultdict(set)
        for call in aws.recorder.calls:
            if "(state machine)" not in call.caller:
                found[call.caller].add(ACTIONS.get(call.operation, call.operation))
        return dict(found)


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


def _refresh(layers: Layers, image: str) -> None:
    """An instance of an Auto Scaling group joins, and is replaced by one of an image."""
    group = Crowd(layers.outside, "shop-api", 0)
    api: dict[str, Any] = {"name": "api", "kind": "autoscaling", "group": "shop-api"}
    api |= {"recipes": {"setup": ["true"]}, "blueprints": [{"blueprint": "shop"}]}
    api |= {"refresh": {"instance_warmup": "1s"}}
    stack = stack_from({"kind": "stack", "name": "grown", "layers": [api]})
    layers.kiln.records.put_stack(stack)
    put_hooks(stack, None, layers.kiln)
    group.api.set_desired_capacity(AutoScalingGroupName="shop-api", DesiredCapacity=1)
    group.settled(1)
    layers.announce(image, {})
    until(lambda: group.versions == ["2"])
    layers.quiet()
    assert [entry.image for entry in layers.kiln.records.instances("grown")] == [image]


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


def _bake(aws: LocalAws, blueprint: dict[str, Any]) -> None:
    client = aws.session().client("stepfunctions")
    arn = client.start_execution(
        stateMachineArn=aws.outputs["BakeStateMachineArn"],
        name=bake_id(blueprint["name"], aws.clock.now(), "x"),
        input=json.dumps({"blueprint": blueprint}),
    )["executionArn"]
    _until(lambda: client.describe_execution(executionArn=arn)["status"] != "RUNNING")


def _ended(aws: LocalAws, layer: str) -> bool:
    client = aws.session().client("stepfunctions")
    arn = aws.outputs["RolloutStateMachineArn"]
    runs = client.list_executions(stateMachineArn=arn)["executions"]
    for run in runs:
        told = client.describe_execution(executionArn=run["executionArn"])
        assert run["status"] != "FAILED", told["cause"]
    return any(run["name"].endswith(layer) and run["status"] == "SUCCEEDED" for run in runs)


def _until(done: Any) -> None:
    deadline = time.monotonic() + 50
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def _allowed() -> dict[str, set[str]]:
    """The actions of each function's own policy."""
    found: dict[str, set[str]] = {}
    for resource in read(ROOT / "template.yaml")["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            properties = resource["Properties"]
            (policy,) = properties["Policies"]
            # A statement may hang on a parameter of the template.
            statements = [s.get("Fn::If", (None, s))[1] for s in policy["Statement"]]
            actions = [s["Action"] for s in statements if s["Effect"] == "Allow"]
            flat = re.findall(r"[a-z0-9]+:\w+", str(actions))
            found[Path(properties["CodeUri"]).name] = set(flat)
    return found
