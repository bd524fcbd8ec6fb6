"""What bakes without anybody asking: notices, the check on a schedule, inputs of others."""

from __future__ import annotations

import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from kiln.domain.naming import blueprint_of
from kiln_local.world import LocalAws
from tests.builders import a_version
from tests.e2e.running import ROOT, SPEED
from tests.e2e.triggers import AL2023, Followers
from tests.integration.local.worlds import until
from tests.notices import NOTICES, TOPICS, event

pytestmark = pytest.mark.long
AL1 = "/aws/service/ami-amazon-linux-latest/amzn-ami-hvm-x86_64-gp2"
WINDOWS = "/aws/service/ami-windows-latest/Windows_Server-2022-English-Full-Base"
HOUR = 3600.0


def of_publisher(followers: Followers, name: str) -> dict[str, Any]:
    """A notice of events/, signed by SNS of the local AWS."""
    given = event(name)
    for record in given["Records"]:
        record["Sns"] = followers.aws.notices.sign(record["Sns"])
    return given


@pytest.mark.timeout(120)
def test_replays_bake_exactly_what_is_affected_and_once() -> None:
    """Both real shapes, an unknown one, garbage, one doubled, one forged, one of a stranger; one
    after the other, all at once, and by a subscription."""
    with LocalAws(ROOT, speed=SPEED) as aws:
        followers = Followers(aws)
        followers.add("web", {"parameter": AL2023})
        followers.add("shop", {"blueprint": "web"})
        followers.add("old", {"parameter": AL1}, "amazon-linux-1")
        followers.add("win", {"parameter": WINDOWS}, "windows-2022")
        for name in NOTICES:
            assert followers.invoke(of_publisher(followers, name))["started"] == []
        new = aws.releases.publish(AL2023)
        for name in ("forged", "unexpected_topic"):
            given = event(name) if name == "forged" else of_publisher(followers, name)
            answer = followers.invoke(given)
            assert (answer["started"], len(answer["refused"])) == ([], 1)
        assert followers.runs() == []
        given = [of_publisher(followers, name) for name in (*NOTICES, "doubled")] * 2
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(followers.invoke, given))
        # Two that begin the same execution at the same moment both say so: it is one.
        begun = {bake for answer in answers for bake in answer["started"]}
        assert [blueprint_of(bake) for bake in begun] == ["web"]
        until(lambda: followers.done("web", "shop"), seconds=60)
        aws.notices.publish("ec2-windows-ami-update", "New AMIs are dated 2018.01.05.")
        until(lambda: aws.recorder.count().get("ssm:GetParameters", 0) > len(given))
        started = [{"blueprint": name, "trigger": "base"} for name in ("shop", "web")]
        assert followers.runs() == started
        web, shop = (followers.kiln.records.images(name)[-1] for name in ("web", "shop"))
        assert (web.base, shop.base) == (new, web.id)


def test_a_release_that_can_be_had_six_hours_after_its_notice_is_found_by_the_check() -> None:
    """At that pace a bake's own documents take too long: only that it begins is looked at."""
    with LocalAws(ROOT, speed=HOUR) as aws:
        followers = Followers(aws)
        followers.add("web", {"parameter": AL2023})
        begun = aws.clock.now()
        new = aws.releases.publish(AL2023, after_s=6 * HOUR)
        aws.notices.publish("amazon-linux-2023-ami-updates", "2023.8.20250819")
        follow = until(lambda: followers.kiln.follows.last("web", new))
        waited = (aws.clock.now() - begun).total_seconds()
        assert waited > 6 * HOUR
        (started,) = until(followers.runs)
        assert started == {"blueprint": "web", "trigger": "base"}
        bake = until(lambda: followers.kiln.records.bake(follow.bake))
        assert bake.plan.base.id == new
        notices = [sent for sent in aws.notices.sent if "2023.8" in json.dumps(sent)]
        assert len(notices) == 1


@pytest.mark.timeout(60)
def test_a_notice_reaches_a_function_in_an_opt_in_region_too() -> None:
    with LocalAws(ROOT, speed=SPEED, region="eu-south-1") as aws:
        sns = aws.session().client("sns", region_name="us-east-1")
        sns.publish(TopicArn=TOPICS[1], Message="a release", Subject="new images")
        until(lambda: any(call.caller == "follow_bases" for call in aws.recorder.calls))


@pytest.mark.parametrize("given", ["bake", "bake_schedule", "bake_base"])
def test_what_the_console_a_schedule_and_a_base_start_is_a_bake(given: str, at: Any) -> None:
    client = at.place.client("stepfunctions")
    name = f"given-{given.replace('_', '-')}"
    document = {"kind": "blueprint", "name": name, "platform": "amazon-linux-2023"}
    base = {"base": {"parameter": AL2023}, "builder": {"instance_types": ["m7i.large"]}}
    at.place.world.versions.add(a_version(blueprint=name, document=document | base))
    request = json.loads((ROOT / f"events/{given}.json").read_text()) | {"blueprint": name}
    arn = client.start_execution(
        stateMachineArn=at.place.bake_machine, name=str(uuid.uuid4()), input=json.dumps(request)
    )["executionArn"]
    until(lambda: client.describe_execution(executionArn=arn)["status"] != "RUNNING", seconds=50)
    assert [bake.status for bake in at.place.world.records.bakes(name)] == ["SUCCEEDED"]
