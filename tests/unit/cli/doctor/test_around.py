"""What stands around bakes: notices, dead letters, alarms, logs."""

from __future__ import annotations

from typing import Any

import pytest

from kiln_cli.doctor.alarms import NAMES, alarms, listeners
from kiln_cli.doctor.letters import letters
from kiln_cli.doctor.logs import logs
from kiln_cli.doctor.notices import TOPICS, notices
from tests.examined import FUNCTION, a_site, states


def a_subscription(topic: str, **more: str) -> dict[str, str]:
    """One of ListSubscriptions."""
    made = {"SubscriptionArn": f"{topic}:1", "TopicArn": topic, "Endpoint": FUNCTION}
    return made | more


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        ({}, 0),
        ({"SubscriptionArn": "PendingConfirmation"}, 1),
        ({"Endpoint": f"{FUNCTION}2"}, 1),
    ],
)
def test_every_topic_of_releases_is_heard(change: dict[str, str], broken: int) -> None:
    first, *others = TOPICS["aws"]
    rows = [a_subscription(first, **change), *map(a_subscription, others)]
    with a_site() as aws:
        aws["sns"].answer("list_subscriptions", {"Subscriptions": rows})
        found = aws.found(notices)
    assert states(found) == [*["broken"] * broken, "well"]
    if broken:
        assert str(found[0].mend).startswith(
            f"aws sns subscribe --region us-east-1 --topic-arn {first}"
        )


def test_notices_that_are_turned_off_are_not_looked_for() -> None:
    with a_site(ReleaseNotices="off", BaseCheck="rate(2 hours)") as aws:
        (finding,) = aws.found(notices)
    assert (finding.state, "rate(2 hours)" in finding.what) == ("well", True)


@pytest.mark.parametrize(
    ("waiting", "looked_at", "state"),
    [("0", "0", "well"), ("2", "0", "broken"), ("0", "1", "broken")],
)
def test_letters_of_the_dead_are_counted(waiting: str, looked_at: str, state: str) -> None:
    counts = {
        "ApproximateNumberOfMessages": waiting,
        "ApproximateNumberOfMessagesNotVisible": looked_at,
    }
    with a_site() as aws:
        aws["sqs"].answer("get_queue_attributes", {"Attributes": counts})
        (finding,) = aws.found(letters)
    assert finding.state == state


def an_alarm(name: str, **more: Any) -> dict[str, Any]:
    """One of DescribeAlarms."""
    return {"AlarmName": f"kiln-{name}", "StateValue": "OK", "ActionsEnabled": True} | more


@pytest.mark.parametrize(
    ("first", "state", "says"),
    [
        ([an_alarm(NAMES[0], StateValue="ALARM", StateReason="1 > 0")], "broken", "rings: 1 > 0"),
        ([an_alarm(NAMES[0], ActionsEnabled=False)], "note", "not to tell"),
        ([], "broken", "is gone"),
    ],
)
def test_an_alarm_that_rings_or_cannot_is_told(first: list[Any], state: str, says: str) -> None:
    rows = [*first, *map(an_alarm, NAMES[1:])]
    with a_site() as aws:
        aws["cloudwatch"].answer("describe_alarms", {"MetricAlarms": rows})
        found = aws.found(alarms)
    assert states(found) == [state, "well"]
    assert says in found[0].what


@pytest.mark.parametrize(
    ("arn", "state"), [("arn:aws:sns:x:1:t:2", "well"), ("PendingConfirmation", "note")]
)
def test_somebody_must_hear_the_alarms(arn: str, state: str) -> None:
    with a_site() as aws:
        rows = [{"SubscriptionArn": arn}]
        aws["sns"].answer("list_subscriptions_by_topic", {"Subscriptions": rows})
        assert states(aws.found(listeners)) == [state]


def test_a_log_group_that_lambda_made_anew_keeps_everything() -> None:
    rows = [
        {"logGroupName": "/aws/lambda/kiln-wake", "retentionInDays": 30},
        {"logGroupName": "/aws/lambda/kiln-sweep"},
    ]
    with a_site(LogRetentionDays="14") as aws:
        aws["logs"].answer("describe_log_groups", {"logGroups": rows})
        (finding,) = aws.found(logs)
    assert (finding.about, finding.state) == ("/aws/lambda/kiln-sweep", "note")
    assert str(finding.mend).endswith("--retention-in-days 14")
