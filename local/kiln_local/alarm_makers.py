"""Makes what tells somebody: alarms, the dashboard, topics. Makers as in `makers.py`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from kiln_local.template import Made

if TYPE_CHECKING:
    from kiln_local.makers import Stack

Properties = dict[str, Any]


def make_topic(stack: Stack, name: str, p: Properties) -> Made:
    """AWS::SNS::Topic."""
    attributes = {"DisplayName": p["DisplayName"]} if "DisplayName" in p else {}
    answer = stack.client("sns").create_topic(Name=stack.physical(name), Attributes=attributes)
    return Made(answer["TopicArn"], TopicName=stack.physical(name))


def make_topic_policy(stack: Stack, name: str, p: Properties) -> Made:
    """AWS::SNS::TopicPolicy."""
    for topic in p["Topics"]:
        stack.client("sns").set_topic_attributes(
            TopicArn=topic,
            AttributeName="Policy",
            AttributeValue=json.dumps(p["PolicyDocument"]),
        )
    return Made(name)


def make_alarm(stack: Stack, _: str, p: Properties) -> Made:
    """AWS::CloudWatch::Alarm. A parameter's number is text in a template."""
    asked = p | {"Threshold": float(p["Threshold"])}
    stack.client("cloudwatch").put_metric_alarm(**asked)
    return Made(p["AlarmName"], Arn=stack.arn("cloudwatch", f"alarm:{p['AlarmName']}"))


def make_dashboard(stack: Stack, _: str, p: Properties) -> Made:
    """AWS::CloudWatch::Dashboard."""
    stack.client("cloudwatch").put_dashboard(
        DashboardName=p["DashboardName"], DashboardBody=p["DashboardBody"]
    )
    return Made(p["DashboardName"])
