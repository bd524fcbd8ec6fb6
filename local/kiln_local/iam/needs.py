"""What a call is checked against. Services with facts of their own have a function here; of others
the reference says the resource types, and a call's parameters which resources.

An operation that nothing here knows is checked against `*` in place of each name: only a policy
that allows all of a kind allows it. Sources: Service Authorization Reference, and what each
function names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from kiln_local.iam import needs_ec2, needs_s3, reference
from kiln_local.iam.calls import Call, parameter_arn, tag_keys
from kiln_local.iam.facts import (
    Ec2Facts,
    group_tags,
    parameter_tags,
    target_group_tags,
)
from kiln_local.iam.launches import launch
from kiln_local.iam.patterns import Value
from kiln_local.iam.statements import Check

Needs = Callable[[Call], Iterator[Check]]
# The action where it is not the operation's name.
_ACTIONS = {
    "lambda:Invoke": "lambda:InvokeFunction",
    "sqs:SendMessageBatch": "sqs:SendMessage",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sns:PublishBatch": "sns:Publish",
}
# DynamoDB Developer Guide, "Using IAM with transactions": the items' own actions.
_IN_TRANSACTIONS = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
    "Get": "GetItem",
}


def needs(call: Call) -> list[Check]:
    """Everything that a call needs; all of it must be allowed."""
    special = _SERVICES.get(call.prefix) or _OPERATIONS.get(call.name)
    return list(special(call) if special else _by_reference(call))


def _by_reference(call: Call) -> Iterator[Check]:
    name = _ACTIONS.get(call.name, call.name)
    action = reference.action(name)
    if action is None or not action.kinds:
        yield Check(name, "*", {})
        return
    given = {
        kind: [arn for arn in _given_arns(call) if _fits(arn, reference.arn_of(call.prefix, kind))]
        for kind in action.kinds
    }
    if not any(given.values()):
        required = [kind for kind, row in action.kinds.items() if row.required]
        given = {kind: [call.arn(kind)] for kind in required or list(action.kinds)[:1]}
    for kind, arns in given.items():
        for arn in arns:
            yield call.check(name, arn, kind, {})


def _given_arns(call: Call) -> list[str]:
    values = call.params.values()
    return [v for v in values if isinstance(v, str) and v.startswith("arn:")]


def _fits(arn: str, form: str) -> bool:
    """Whether an ARN is of a form, by its service and the word before its name."""
    found, wanted = arn.split(":", 5), form.split(":", 5)
    word = wanted[-1].split("$")[0] if len(wanted) == 6 else ""
    return len(found) == 6 and found[2] == wanted[2] and found[5].startswith(word)


# ------------------------------------------------------------ services


def _dynamodb(call: Call) -> Iterator[Check]:
    params = call.params
    if "TransactItems" in params:
        for item in params["TransactItems"]:
            for kind, one in item.items():
                yield _table(call, f"dynamodb:{_IN_TRANSACTIONS[kind]}", one["TableName"])
    elif "RequestItems" in params:
        for table in params["RequestItems"]:
            yield _table(call, call.name, table)
    elif "TableName" in params:
        yield _table(call, call.name, params["TableName"], params.get("IndexName"))
    else:
        yield from _by_reference(call)


def _table(call: Call, action: str, name: str, index: str | None = None) -> Check:
    table = name if name.startswith("arn:") else call.arn("table", name)
    resource = f"{table}/index/{index}" if index else table
    return call.check(action, resource, "index" if index else "table", {})


def _send_command(call: Call) -> Iterator[Check]:
    """The document; each instance with its tags; the bucket is the instance's own affair. Targets
    by tag reach what cannot be named beforehand."""
    yield _document(call, str(call.params["DocumentName"]))
    facts = Ec2Facts(call.account, call.region)
    for instance in call.params.get("InstanceIds") or ["*"]:
        tags = facts.of("instance", instance)
        keys = {k: v for k, v in tags.items() if k.startswith("aws:")}
        keys |= {k.replace("aws:ResourceTag/", "ssm:resourceTag/"): v for k, v in keys.items()}
        arn = f"arn:aws:ec2:{call.region}:{call.account}:instance/{instance}"
        yield call.check(call.name, arn, "instance", keys)


def _document(call: Call, name: str) -> Check:
    """A document by name or ARN; AWS's own are no account's."""
    owner = "" if name.startswith(("AWS", "Amazon")) else call.account
    arn = f"arn:aws:ssm:{call.region}:{owner}:document/{name}"
    return call.check(call.name, name if name.startswith("arn:") else arn, "document", {})


def _documents(call: Call) -> Iterator[Check]:
    yield _document(call, str(call.params["Name"]))


def _parameters(call: Call) -> Iterator[Check]:
    names = call.params.get("Names") or [call.params.get("Name") or call.params.get("Path") or "*"]
    for name in names:
        tags = parameter_tags(call.account, call.region, str(name))
        keys: dict[str, Value] = tag_keys(tags, "ResourceTag")
        if call.operation == "PutParameter":
            asked = {tag["Key"]: tag["Value"] for tag in call.params.get("Tags") or ()}
            keys |= tag_keys(asked, "RequestTag")
            keys["ssm:Overwrite"] = str(bool(call.params.get("Overwrite"))).lower()
        yield call.check(call.name, parameter_arn(call, str(name)), "parameter", keys)


def _events(call: Call) -> Iterator[Check]:
    for entry in call.params["Entries"]:
        bus = str(entry.get("EventBusName") or "default")
        arn = bus if bus.startswith("arn:") else call.arn("event-bus", bus)
        keys: dict[str, Value] = {
            "events:source": str(entry.get("Source", "")),
            "events:detail-type": str(entry.get("DetailType", "")),
        }
        yield call.check(call.name, arn, "event-bus", keys)


def _invoke(call: Call) -> Iterator[Check]:
    name = str(call.params["FunctionName"])
    arn = name if name.startswith("arn:") else call.arn("function", name)
    yield call.check("lambda:InvokeFunction", arn, "function", {})


def _queue(call: Call) -> Iterator[Check]:
    name = str(call.params.get("QueueUrl") or "*").rpartition("/")[2]
    yield call.check(_ACTIONS.get(call.name, call.name), call.arn("queue", name), "queue", {})


def _alarms(call: Call) -> Iterator[Check]:
    names = call.params.get("AlarmNames") or ["*"]
    for name in names:
        yield call.check(call.name, call.arn("alarm", name), "alarm", {})


def _assume(call: Call) -> Iterator[Check]:
    keys: dict[str, Value] = {"sts:RoleSessionName": str(call.params["RoleSessionName"])}
    if call.params.get("ExternalId"):
        keys["sts:ExternalId"] = str(call.params["ExternalId"])
    yield call.check(call.name, str(call.params["RoleArn"]), "role", keys)


def _autoscaling(call: Call) -> Iterator[Check]:
    """A group with its tags. Who names a launch template must be allowed to launch from it (Auto
    Scaling User Guide, "Control Amazon EC2 launch template usage in Auto Scaling groups")."""
    action = reference.action(call.name)
    if action is None or not action.kinds:
        yield Check(call.name, "*", {})
        return
    tagged = [row["ResourceId"] for row in call.params.get("Tags") or () if "ResourceId" in row]
    for name in dict.fromkeys([call.params.get("AutoScalingGroupName"), *tagged]):
        if name:
            yield _group(call, str(name))
    template = _template_of(call.params) or _template_of(
        call.params.get("DesiredConfiguration") or {}
    )
    if template:
        asked = {"LaunchTemplate": template}
        ec2 = Call("ec2", "RunInstances", asked, call.region, call.account)
        yield from launch(ec2, Ec2Facts(call.account, call.region))


def _group(call: Call, name: str) -> Check:
    arn, tags = group_tags(call.account, call.region, name)
    keys: dict[str, Value] = tag_keys(tags, "ResourceTag")
    keys |= {f"autoscaling:ResourceTag/{key}": value for key, value in tags.items()}
    keys |= tag_keys(
        {r["Key"]: r.get("Value", "") for r in call.params.get("Tags") or ()}, "RequestTag"
    )
    return call.check(
        call.name, arn or call.arn("autoScalingGroup", "*", name), "autoScalingGroup", keys
    )


def _template_of(params: Any) -> dict[str, Any] | None:
    mixed = (params.get("MixedInstancesPolicy") or {}).get("LaunchTemplate") or {}
    found = params.get("LaunchTemplate") or mixed.get("LaunchTemplateSpecification")
    return dict(found) if found else None


def _targets(call: Call) -> Iterator[Check]:
    arn = str(call.params["TargetGroupArn"])
    tags = target_group_tags(call.account, call.region, arn)
    keys: dict[str, Value] = tag_keys(tags, "ResourceTag")
    keys |= {f"elasticloadbalancing:ResourceTag/{key}": value for key, value in tags.items()}
    yield call.check(call.name, arn, "targetgroup", keys)


def _scheduler(call: Call) -> Iterator[Check]:
    """A schedule of its group; its target's role is passed to the service that fires it."""
    group = str(call.params.get("GroupName") or "default")
    name = str(call.params.get("Name") or "*")
    action = reference.action(call.name)
    kinds = action.kinds if action else {}
    if "schedule" in kinds:
        yield call.check(call.name, call.arn("schedule", group, name), "schedule", {})
    elif "schedule-group" in kinds:
        own = group if "GroupName" in call.params else name
        yield call.check(call.name, call.arn("schedule-group", own), "schedule-group", {})
    else:
        yield Check(call.name, "*", {})
    role = (call.params.get("Target") or {}).get("RoleArn")
    if role:
        keys: dict[str, Value] = {"iam:PassedToService": "scheduler.amazonaws.com"}
        yield call.check("iam:PassRole", str(role), "role", keys)


_SERVICES: dict[str, Needs] = {
    "ec2": needs_ec2.needs,
    "s3": needs_s3.needs,
    "dynamodb": _dynamodb,
    "autoscaling": _autoscaling,
    "scheduler": _scheduler,
    "sqs": _queue,
}
_OPERATIONS: dict[str, Needs] = {
    "ssm:SendCommand": _send_command,
    "ssm:DescribeDocument": _documents,
    "ssm:GetDocument": _documents,
    "ssm:GetParameter": _parameters,
    "ssm:GetParameters": _parameters,
    "ssm:GetParametersByPath": _parameters,
    "ssm:PutParameter": _parameters,
    "ssm:DeleteParameter": _parameters,
    "ssm:DeleteParameters": _parameters,
    "ssm:GetParameterHistory": _parameters,
    "events:PutEvents": _events,
    "lambda:Invoke": _invoke,
    "cloudwatch:DescribeAlarms": _alarms,
    "sts:AssumeRole": _assume,
    "elasticloadbalancing:RegisterTargets": _targets,
    "elasticloadbalancing:DeregisterTargets": _targets,
}
