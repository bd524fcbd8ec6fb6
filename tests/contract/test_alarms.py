"""Alarms: each says what to do, and watches a metric that exists.

Names and dimensions: Step Functions Developer Guide, "Monitoring Step Functions metrics using
CloudWatch"; SQS Developer Guide, "Available CloudWatch metrics for Amazon SQS".
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from kiln_local.template import read

ROOT = Path(__file__).parents[2]
RESOURCES = read(ROOT / "template.yaml")["Resources"]
ALARMS = {n: r["Properties"] for n, r in RESOURCES.items() if r["Type"] == "AWS::CloudWatch::Alarm"}
KNOWN = {
    "AWS/States": (
        {
            "ExecutionTime",
            "ExecutionsStarted",
            "ExecutionsSucceeded",
            "ExecutionsFailed",
            "ExecutionsAborted",
            "ExecutionsTimedOut",
        },
        "StateMachineArn",
    ),
    "AWS/SQS": ({"ApproximateNumberOfMessagesVisible"}, "QueueName"),
    "Kiln": ({"Leaks", "LeaksLeft"}, "function"),
}


def watched(alarm: dict[str, Any]) -> list[dict[str, Any]]:
    """The metrics of an alarm."""
    if "Metrics" not in alarm:
        return [alarm]
    return [m["MetricStat"]["Metric"] for m in alarm["Metrics"] if "MetricStat" in m]


def test_there_is_an_alarm_for_each_thing_that_somebody_must_look_at() -> None:
    pages = {
        re.search(r"docs/runbooks/([a-z-]+)\.md", a["AlarmDescription"]) for a in ALARMS.values()
    }
    named = {page[1] for page in pages if page}
    assert named == {path.stem for path in (ROOT / "docs" / "runbooks").glob("*.md")}
    assert len(named) == len(ALARMS)


@pytest.mark.parametrize("name", ALARMS)
def test_a_page_names_its_alarm(name: str) -> None:
    alarm = ALARMS[name]
    short = alarm["AlarmName"]["Fn::Sub"].removeprefix("${AWS::StackName}-")
    page = (ROOT / "docs" / "runbooks" / f"{short}.md").read_text()
    assert f"Alarm `<stack>-{short}`" in page


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_watches_a_metric_that_is_sent(name: str) -> None:
    metrics = watched(ALARMS[name])
    assert metrics
    for metric in metrics:
        names, dimension = KNOWN[metric["Namespace"]]
        assert metric["MetricName"] in names
        assert [d["Name"] for d in metric["Dimensions"]] == [dimension]


def test_the_dashboard_is_json_and_shows_every_alarm() -> None:
    body = RESOURCES["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    widgets = json.loads(body)["widgets"]
    shown = {name for name in ALARMS if f"${{{name}.Arn}}" in json.dumps(widgets[0])}
    assert shown == set(ALARMS)
    places = [(w["x"], w["y"]) for w in widgets]
    assert len(set(places)) == len(places)
