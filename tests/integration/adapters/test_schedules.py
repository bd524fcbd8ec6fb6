"""Schedules of blueprints: the fake and the adapter keep the same promises."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from kiln.adapters.schedules import EventBridgeSchedules, ScheduleGround
from kiln.errors import AwsBusy, AwsRefused
from kiln.ports import Schedules, Standing, Timing
from tests.fakes import FakeSchedules
from tests.moto_clients import mock_aws, moto_client
from tests.stubs import Script, scripted

ARN = "arn:aws:states:eu-west-1:123456789012:stateMachine:bake"
GROUND = ScheduleGround(
    "kiln",
    "arn:aws:iam::123456789012:role/schedules",
    ARN,
    "arn:aws:sqs:eu-west-1:123456789012:dead",
)
NIGHTLY = Timing("cron(0 3 * * ? *)", "Europe/Berlin")


@pytest.fixture(params=["fake", "moto"])
def schedules(request: pytest.FixtureRequest) -> Iterator[Schedules]:
    if request.param == "fake":
        yield FakeSchedules()
        return
    with mock_aws():
        client = moto_client("scheduler")
        client.create_schedule_group(Name="kiln")
        yield EventBridgeSchedules(lambda: client, GROUND)


def on(script: Script) -> EventBridgeSchedules:
    return EventBridgeSchedules(lambda: script.client, GROUND)


def test_a_schedule_is_made_changed_and_removed(schedules: Schedules) -> None:
    assert schedules.look("web") is None
    schedules.put("web", NIGHTLY)
    schedules.put("other", NIGHTLY)
    assert schedules.look("web") == Standing(NIGHTLY)
    schedules.put("web", Timing("rate(7 days)", "UTC"))
    assert schedules.look("web") == Standing(Timing("rate(7 days)", "UTC"))
    for _ in range(2):
        schedules.remove("web")
    assert schedules.look("web") is None
    assert schedules.look("other") == Standing(NIGHTLY)


@mock_aws()
def test_a_schedule_starts_a_bake_of_its_blueprint_and_what_is_changed_by_hand_is_named() -> None:
    client = moto_client("scheduler")
    client.create_schedule_group(Name="kiln")
    schedules = EventBridgeSchedules(lambda: client, GROUND)
    schedules.put("web", NIGHTLY)
    found: dict[str, Any] = client.get_schedule(Name="web", GroupName="kiln")
    assert found["Target"]["Arn"] == ARN
    assert json.loads(found["Target"]["Input"]) == {"blueprint": "web", "trigger": "schedule"}
    assert found["Target"]["DeadLetterConfig"] == {"Arn": GROUND.dead_letters}
    client.update_schedule(
        Name="web",
        GroupName="kiln",
        ScheduleExpression=NIGHTLY.expression,
        ScheduleExpressionTimezone=NIGHTLY.time_zone,
        FlexibleTimeWindow={"Mode": "OFF"},
        State="DISABLED",
        Target=found["Target"] | {"Input": "{}"},
    )
    assert schedules.look("web") == Standing(NIGHTLY, ("Description", "State", "Target"))


def test_two_who_make_the_same_schedule_at_once_both_end_well() -> None:
    """EventBridge Scheduler API, CreateSchedule: ConflictException."""
    with scripted("scheduler") as scheduler:
        scheduler.refuse("update_schedule", "ResourceNotFoundException", 404)
        scheduler.refuse("create_schedule", "ConflictException", 409)
        scheduler.answer("update_schedule", {"ScheduleArn": "arn:aws:scheduler:schedule"})
        on(scheduler).put("web", NIGHTLY)


def test_who_never_gets_a_turn_is_told_to_apply_again() -> None:
    with scripted("scheduler") as scheduler:
        for _ in range(4):
            scheduler.refuse("update_schedule", "ConflictException", 409)
            scheduler.refuse("create_schedule", "ConflictException", 409)
        scheduler.refuse("delete_schedule", "ConflictException", 409)
        for change in (
            lambda: on(scheduler).put("web", NIGHTLY),
            lambda: on(scheduler).remove("web"),
        ):
            with pytest.raises(AwsBusy, match="schedule of web"):
                change()


def test_a_schedule_group_that_is_gone_is_awss_word_and_not_a_schedule_that_is_new() -> None:
    with scripted("scheduler") as scheduler:
        scheduler.refuse("update_schedule", "ResourceNotFoundException", 404)
        scheduler.refuse("create_schedule", "ResourceNotFoundException", 404)
        scheduler.refuse("get_schedule", "AccessDeniedException", 403)
        with pytest.raises(AwsRefused, match="CreateSchedule"):
            on(scheduler).put("web", NIGHTLY)
        with pytest.raises(AwsRefused, match="AccessDenied"):
            on(scheduler).look("web")


def test_a_stack_without_a_group_is_of_an_older_kiln() -> None:
    never = EventBridgeSchedules(lambda: pytest.fail("a client was made"), ScheduleGround())
    with pytest.raises(AwsRefused, match="deploy it anew"):
        never.look("web")
