"""A call as it is checked: its operation, what it asks for, where, and the actions that IAM knows
it by."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from kiln_local.iam import reference
from kiln_local.iam.patterns import Keys, Value
from kiln_local.iam.statements import Check

# IAM's prefix where it is not what requests are signed for.
_PREFIXES = {"monitoring": "cloudwatch"}
# Keys of every call (IAM User Guide, "AWS global condition context keys"): the reference lists them
# for no action. These three it does list.
_LISTED = ("aws:requesttag/", "aws:resourcetag/", "aws:tagkeys")


@dataclass(frozen=True)
class Call:
    """One call. `prefix` is IAM's name of the service, `account` whose session the client has."""

    prefix: str
    operation: str
    params: Mapping[str, Any]
    region: str
    account: str

    @property
    def name(self) -> str:
        """As in `ec2:RunInstances`."""
        return f"{self.prefix}:{self.operation}"

    @property
    def place(self) -> dict[str, str]:
        """What an ARN's form is filled with."""
        return {"Partition": "aws", "Region": self.region, "Account": self.account}

    def arn(self, kind: str, *names: str, prefix: str = "") -> str:
        """The ARN of a resource type's one resource, its places filled from the left; `*` for what
        is not there yet."""
        form = reference.arn_of(prefix or self.prefix, kind)
        places = (found for found in re.findall(r"\$\{(\w+)\}", form) if found not in self.place)
        known = dict(zip(places, names, strict=False))
        return reference.filled_arn(form, self.place, known)

    def check(self, action: str, resource: str, kind: str, keys: Keys) -> Check:
        """A check with those keys that AWS has for this action and resource type, and no others."""
        known = reference.action(action)
        found: dict[str, Value] = {}
        for key, value in keys.items():
            low = key.lower()
            listed = low.startswith(_LISTED) or not low.startswith("aws:")
            if not listed or (known is not None and known.has(kind, low)):
                found[low] = value
        return Check(action, resource, found)

    def within(self, operation: str, params: Mapping[str, Any]) -> Call:
        """A call that AWS makes to do this one."""
        return replace(self, operation=operation, params=params)


def prefix_of(signing_name: str) -> str:
    """IAM's prefix of a service, by the name that its requests are signed for."""
    return _PREFIXES.get(signing_name, signing_name)


def tag_keys(tags: Mapping[str, str], scope: str) -> dict[str, Value]:
    """`aws:RequestTag/...` or `aws:ResourceTag/...`, and for a request `aws:TagKeys`."""
    found: dict[str, Value] = {f"aws:{scope}/{key}": value for key, value in tags.items()}
    if scope == "RequestTag" and tags:
        found["aws:TagKeys"] = tuple(tags)
    return found


def parameter_arn(call: Call, name: str) -> str:
    """A parameter's ARN: those of AWS itself are no account's (Systems Manager User Guide, "Calling
    the AMI public parameter")."""
    owner = "" if name.startswith("/aws/service/") else call.account
    return f"arn:aws:ssm:{call.region}:{owner}:parameter/{name.lstrip('/')}"
