"""Roles of the local AWS and their policies, as they are at the moment of a call: what is attached
or changed through IAM holds at once. Policies of resources likewise."""

from __future__ import annotations

import json
from typing import Any

from moto.backends import get_backend

from kiln_local.iam.facts import backend
from kiln_local.iam.statements import Principal, Statement, parse

# Policies of AWS's own that the translator of the template attaches to every function and machine:
# Lambda and Step Functions use them, before and after the code that runs.
AWS_OWN = "arn:aws:iam::aws:policy/"


def session(role_arn: str, name: str) -> Principal:
    """A role's session, as Lambda, Step Functions or AssumeRole begins one."""
    account, role = role_arn.split(":")[4], role_arn.rpartition("/")[2]
    return Principal(f"arn:aws:sts::{account}:assumed-role/{role}/{name}", role_arn, account)


def role_of(arn: str) -> Any:
    """moto's role; None where there is none."""
    roles = get_backend("iam")[arn.split(":")[4]]["aws"].roles.values()
    return next((role for role in roles if role.arn == arn), None)


def identity(role: Any) -> list[Statement]:
    """The statements of a role's policies: its own and those that are attached."""
    found: list[Statement] = []
    for name, text in list(role.policies.items()):
        found += parse(f"{role.name}/{name}", text)
    for arn, policy in list(role.managed_policies.items()):
        if not arn.startswith(AWS_OWN):
            found += parse(arn, in_force(policy))
    return found


def in_force(policy: Any) -> str:
    """The text of a managed policy's default version."""
    wanted = policy.default_version_id
    return str(next(one.document for one in policy.versions if one.version_id == wanted))


def of_resource(arn: str, region: str) -> tuple[list[Statement], str]:
    """The policy of what an ARN names, empty where it has none, and the account that it is in; ''
    where nobody's or anybody's may be meant."""
    parts = arn.split(":", 5)
    if len(parts) < 6:
        return [], ""
    _, _, service, place, account, rest = parts
    if service == "s3":
        return _bucket(rest.partition("/")[0])
    text = _TEXTS[service](account, place or region, rest) if service in _TEXTS else None
    return (list(parse(arn, text)) if text else []), account


def _bucket(name: str) -> tuple[list[Statement], str]:
    for account, partitions in list(get_backend("s3").items()):
        found = partitions["aws"].buckets.get(name)
        if found is not None:
            text = found.policy.decode() if isinstance(found.policy, bytes) else found.policy
            return (list(parse(f"arn:aws:s3:::{name}", text)) if text else []), account
    return [], ""


def _queue(account: str, region: str, name: str) -> str | None:
    found = backend("sqs", account, region).queues.get(name)
    policy = found.policy if found else None
    return policy if isinstance(policy, str) else json.dumps(policy) if policy else None


def _bus(account: str, region: str, rest: str) -> str | None:
    found = backend("events", account, region).event_buses.get(rest.partition("/")[2])
    return str(found.policy) if found and found.policy else None


def _table(account: str, region: str, rest: str) -> str | None:
    arn = f"arn:aws:dynamodb:{region}:{account}:{'/'.join(rest.split('/')[:2])}"
    found = backend("dynamodb", account, region).resource_policies.get(arn)
    return str(found.policy_doc) if found else None


def _function(account: str, region: str, rest: str) -> str | None:
    name = rest.split(":")[1]
    known = backend("lambda", account, region).list_functions()
    found = next((f for f in known if f.function_name == name), None)
    statements = found.policy.statements if found else None
    return json.dumps({"Version": "2012-10-17", "Statement": statements}) if statements else None


def _topic(account: str, region: str, rest: str) -> str | None:
    found = backend("sns", account, region).topics.get(f"arn:aws:sns:{region}:{account}:{rest}")
    return str(found.policy) if found else None


def _role(account: str, _: str, rest: str) -> str | None:
    found = role_of(f"arn:aws:iam::{account}:{rest}")
    return str(found.assume_role_policy_document) if found else None


_TEXTS: dict[str, Any] = {
    "sns": _topic,
    "sqs": _queue,
    "events": _bus,
    "dynamodb": _table,
    "lambda": _function,
    "iam": _role,
}
