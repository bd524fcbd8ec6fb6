"""Writes docs/permissions.md: what each function and state machine may do, on what, on which
condition, and by which port's method its code comes to it.

`python -m tools.permissions` writes it, `--check` says whether it is fresh. That each line is
used, and nothing refused, tests/e2e/test_permissions.py proves.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kiln_local.iam import reference
from kiln_local.template import read
from tools.pages import keep
from tools.step_calls import reached

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "docs/permissions.md"
# What an operation is checked for besides its own action, and operations whose action has another
# name (Service Authorization Reference; EBS User Guide, "How Amazon EBS encryption works"). A
# name that ends in `*` is all of a service.
IMPLIED = {
    "ec2:RunInstances": ("ec2:CreateTags", "iam:PassRole", "kms:*"),
    "ec2:CreateImage": ("ec2:CreateTags",),
    "ec2:RegisterImage": (
        *("ec2:CreateTags", "s3:GetObject", "s3:GetObjectAcl", "s3:GetBucketLocation"),
        "s3:ListBucket",
    ),
    "ec2:CopyImage": ("ec2:CreateTags", "kms:*"),
    "ec2:DescribeLaunchTemplateVersions": ("ssm:GetParameters",),
    "ec2:EnableFastLaunch": ("iam:CreateServiceLinkedRole",),
    "autoscaling:UpdateAutoScalingGroup": ("ec2:RunInstances", "ec2:CreateTags", "iam:PassRole"),
    "autoscaling:StartInstanceRefresh": ("ec2:RunInstances", "ec2:CreateTags", "iam:PassRole"),
    "scheduler:CreateSchedule": ("iam:PassRole",),
    "scheduler:UpdateSchedule": ("iam:PassRole",),
    "s3:GetObject": ("s3:GetObjectVersion", "s3:ListBucket"),
    "s3:HeadObject": ("s3:GetObject", "s3:ListBucket"),
    "s3:ListObjectsV2": ("s3:ListBucket",),
    "s3:DeleteObjects": ("s3:DeleteObject",),
}
# Why a call that changes something is allowed on all of a kind: action -> the kinds, and why. Where
# AWS has no resource types for an action there is nothing to say: the page says that itself.
REASONS = {
    "ec2:CreateLaunchTemplateVersion": (
        ("launch-template",),
        "a blueprint or a group names any template of the account; narrow `Resource` where the "
        "account has others",
    ),
    "ec2:DeleteLaunchTemplateVersions": (
        ("launch-template",),
        "of the template of a layer's group, the user's own",
    ),
    "ec2:ModifyLaunchTemplate": (
        ("launch-template",),
        "a blueprint names any template of the account",
    ),
    "ec2:RunInstances": (
        ("subnet", "image"),
        "a launch touches a subnet and an image and changes neither: subnets are the deployment's "
        "or the default ones, images any that a blueprint stands on. What it makes is held by "
        "tags, metadata options and profile",
    ),
    "elasticloadbalancing:DeregisterTargets": (
        ("targetgroup",),
        "a stack file names any target group of the account",
    ),
    "elasticloadbalancing:RegisterTargets": (
        ("targetgroup",),
        "a stack file names any target group of the account",
    ),
    "ssm:PutParameter": (
        ("parameter",),
        "a blueprint names any parameter of the account; IAM knows no tags of one that is not "
        "there yet",
    ),
}
_ALL = re.compile(r"\*|arn:aws:[\w-]+:[^:]*:[^:]*:([\w-]+)[/:]\*\S*")
_PSEUDO = {
    "AWS::Partition": "aws",
    "AWS::Region": "REGION",
    "AWS::AccountId": "ACCOUNT",
    "AWS::StackName": "STACK",
}


@dataclass(frozen=True)
class Allowed:
    """One action that a statement allows: on what, on which condition; `index` is its place."""

    index: int
    action: str
    resources: tuple[str, ...]
    condition: str

    @property
    def wide(self) -> tuple[str, ...]:
        """The kinds of which it changes any, unconditionally; `*` is everything."""
        known = reference.action(self.action)
        if self.condition or (known and not known.changes):
            return ()
        found = (_ALL.fullmatch(resource) for resource in self.resources)
        return tuple(match[1] or "*" for match in found if match)

    @property
    def excused(self) -> bool:
        """Whether it may: AWS has no resources for it, or REASONS says why."""
        known = reference.action(self.action)
        if known and not known.kinds:
            return True
        return set(self.wide) <= set(REASONS.get(self.action, ((), ""))[0])


def functions() -> dict[str, list[Allowed]]:
    """What each function's policy allows, by the name of its step."""
    return {
        Path(properties["CodeUri"]).name: list(_allowed(properties))
        for _, properties in _of_type("AWS::Serverless::Function")
    }


def machines() -> dict[str, list[Allowed]]:
    """What each state machine's policy allows, by the name of its file."""
    return {
        Path(properties["DefinitionUri"]).name.partition(".")[0]: list(_allowed(properties))
        for _, properties in _of_type("AWS::Serverless::StateMachine")
    }


def _of_type(kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, resource in read(ROOT / "template.yaml")["Resources"].items():
        if resource["Type"] == kind:
            yield name, resource["Properties"]


def _allowed(properties: dict[str, Any]) -> Iterator[Allowed]:
    (policy,) = properties["Policies"]
    for index, given in enumerate(policy["Statement"]):
        # A statement may hang on a parameter of the template.
        when, statement = given["Fn::If"][:2] if "Fn::If" in given else ("", given)
        resources = tuple(filter(None, map(text, _listed(statement["Resource"]))))
        condition = _condition(statement.get("Condition", {}))
        if when:
            condition = f"if {when}" + (f", {condition}" if condition else "")
        for action in _listed(statement["Action"]):
            yield Allowed(index, action, resources, condition)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def text(part: Any) -> str:
    """A part of the template as a reader wants it: names for references, capitals for what differs
    from deployment to deployment."""
    if isinstance(part, list):
        return ", ".join(filter(None, map(text, part)))
    if not isinstance(part, dict):
        return str(part)
    ((key, value),) = part.items()
    if key == "Ref":
        return "" if value == "AWS::NoValue" else _PSEUDO.get(value, str(value))
    if key == "Fn::GetAtt":
        return str(value[0])
    if key == "Fn::If":
        return " or ".join(filter(None, (text(value[1]), text(value[2]))))
    form = r"\$\{([\w:]+)(?:\.\w+)?\}"
    return re.sub(form, lambda found: _PSEUDO.get(found[1], found[1]), str(value))


def _condition(given: dict[str, Any]) -> str:
    found = []
    for operator, wanted in given.items():
        for key, value in wanted.items():
            sign = "=" if operator in ("StringEquals", "Bool") else operator
            found.append(f"{key} {sign} {text(value)}")
    return ", ".join(found)


def reasons(step: str, action: str) -> list[str]:
    """The ports' methods by which a step comes to an action."""
    found: dict[str, None] = {}
    for operation, methods in reached(step).items():
        implied = IMPLIED.get(operation, ())
        service = f"{action.partition(':')[0]}:*"
        if action == operation or action in implied or service in implied:
            found |= dict.fromkeys(methods)
    return list(found)


# ------------------------------------------------------------ the page


def rendered() -> str:
    """The page."""
    lines = [*_HEAD]
    for step, allowed in functions().items():
        lines += [f"## {step}", "", "| action | on | if | by |", "|---|---|---|---|"]
        for one in allowed:
            by = ", ".join(f"`{method}`" for method in reasons(step, one.action))
            lines.append(f"| {_cells(one)} | {by} |")
        lines.append("")
    lines += ["# State machines", ""]
    for name, allowed in machines().items():
        lines += [f"## {name}.asl.yaml", "", "| action | on | if |", "|---|---|---|"]
        lines += [f"| {_cells(one)} |" for one in allowed]
        lines.append("")
    lines += [*_WIDE, *_wide(), ""]
    return "\n".join(lines)


def _cells(one: Allowed) -> str:
    resources = "<br>".join(f"`{resource}`" for resource in one.resources)
    return f"`{one.action}` | {resources} | {f'`{one.condition}`' if one.condition else ''}"


def _wide() -> Iterator[str]:
    found: dict[str, list[str]] = {}
    for name, allowed in {**functions(), **machines()}.items():
        for one in allowed:
            if one.wide:
                found.setdefault(one.action, []).append(name)
    for action, names in sorted(found.items()):
        known = reference.action(action)
        _, reason = REASONS.get(action, ((), ""))
        if known and not known.kinds:
            reason = "AWS has no resource for it"
        yield f"| `{action}` | {', '.join(dict.fromkeys(names))} | {reason} |"


_HEAD = (
    "# What each function and state machine may do",
    "",
    "Written by `python -m tools.permissions` from the template; do not edit. REGION, ACCOUNT and",
    "STACK are the deployment's own, a name alone is a resource of the template. *by* names the",
    "port's method by which a function's code comes to the action. What the translator adds by",
    "itself, AWSLambdaBasicExecutionRole, AWSXrayWriteOnlyAccess and `sqs:SendMessage` for a",
    "function's failures, Lambda uses before and after the code.",
    "",
    "The local AWS enforces these policies in each bake and rollout: [local-aws](local-aws.md).",
    "`tests/e2e/test_permissions.py` compares both ways: no call is refused, no action and no",
    "resource of a statement is unused, and without any one of them a call is refused.",
    "",
)
_WIDE = (
    "# Changes on all of a kind",
    "",
    "Everything else that changes something names what it changes, or asks for Kiln's tag on it.",
    "",
    "| action | whose | why |",
    "|---|---|---|",
)


def main() -> int:
    """Write the page, or with --check say whether it is fresh."""
    return keep(TARGET, rendered(), "tools.permissions", sys.argv)


if __name__ == "__main__":
    sys.exit(main())
