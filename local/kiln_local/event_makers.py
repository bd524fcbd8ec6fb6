"""Makes what EventBridge has: buses, rules, schedules. Makers as in `makers.py`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from kiln_local.events import TARGETS
from kiln_local.template import Made, TemplateError

if TYPE_CHECKING:
    from kiln_local.makers import Stack

Properties = dict[str, Any]


def make_bus(stack: Stack, _: str, p: Properties) -> Made:
    """AWS::Events::EventBus."""
    answer = stack.client("events").create_event_bus(Name=p["Name"])
    return Made(p["Name"], Arn=answer["EventBusArn"], Name=p["Name"])


def make_rule(stack: Stack, name: str, p: Properties) -> Made:
    """AWS::Events::Rule, by pattern, on a schedule, or both. TemplateError."""
    client, rule = stack.client("events"), stack.physical(name)
    _check_targets(name, p["Targets"])
    bus = {"EventBusName": p["EventBusName"]} if "EventBusName" in p else {}
    when = {key: p[key] for key in ("EventPattern", "ScheduleExpression") if key in p}
    if "EventPattern" in when:
        when["EventPattern"] = json.dumps(when["EventPattern"])
    client.put_rule(Name=rule, State=p.get("State", "ENABLED"), **when, **bus)
    client.put_targets(Rule=rule, Targets=p["Targets"], **bus)
    path = f"{p['EventBusName']}/{rule}" if bus else rule
    return Made(rule, Arn=stack.arn("events", f"rule/{path}"))


def make_schedule(stack: Stack, name: str, p: Properties) -> Made:
    """AWS::Scheduler::Schedule. TemplateError."""
    _check_targets(name, [p["Target"]])
    schedule = stack.physical(name)
    answer = stack.client("scheduler").create_schedule(Name=schedule, **p)
    return Made(schedule, Arn=answer["ScheduleArn"])


def make_schedule_group(stack: Stack, _: str, p: Properties) -> Made:
    """AWS::Scheduler::ScheduleGroup."""
    answer = stack.client("scheduler").create_schedule_group(Name=p["Name"])
    return Made(p["Name"], Arn=answer["ScheduleGroupArn"])


def make_subscription(stack: Stack, _: str, p: Properties) -> Made:
    """AWS::SNS::Subscription, where the topic is."""
    client = stack.session.client("sns", region_name=p.get("Region", stack.region))
    answer = client.subscribe(
        TopicArn=p["TopicArn"], Protocol=p["Protocol"], Endpoint=p["Endpoint"]
    )
    return Made(answer["SubscriptionArn"])


def _check_targets(name: str, targets: list[Properties]) -> None:
    for service in {target["Arn"].split(":")[2] for target in targets} - TARGETS:
        raise TemplateError(f"{name}: the local AWS cannot deliver to {service}")
