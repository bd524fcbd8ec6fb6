"""Policies as statements: what one says, and whether it speaks of a call.

Source: IAM User Guide, "IAM JSON policy elements reference".
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from kiln_local.iam import conditions
from kiln_local.iam.patterns import Keys, arn_like, filled, like

_ELEMENTS = frozenset(
    {
        *("Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction"),
        *("Resource", "NotResource", "Condition"),
    }
)


class MalformedPolicy(ValueError):
    """A policy that IAM would not take; the text says why."""


@dataclass(frozen=True)
class Principal:
    """Who calls: a role's session in an account, or a service of AWS."""

    arn: str
    role_arn: str = ""
    account: str = ""
    service: str = ""


@dataclass(frozen=True)
class Check:
    """One thing that a call needs: an action on a resource, with the condition keys of both, in
    lower case."""

    action: str
    resource: str
    keys: Keys = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Grant:
    """What of a statement matched: its place among the policy's, and its own patterns."""

    policy: str
    index: int
    action: str
    resource: str


@dataclass(frozen=True)
class Statement:
    """One statement. `policy` names the policy that it stands in, `index` its place there."""

    policy: str
    index: int
    effect: str
    actions: tuple[str, ...]
    not_actions: tuple[str, ...]
    resources: tuple[str, ...]
    not_resources: tuple[str, ...]
    condition: Mapping[str, Any] = field(hash=False)
    principal: Any = field(default=None, hash=False)
    not_principal: Any = field(default=None, hash=False)

    def match(self, check: Check) -> Grant | None:
        """What of it speaks of a call, its principal aside."""
        action = _first(self.actions, self.not_actions, lambda p: like(p, check.action, fold=True))
        if action is None:
            return None
        resource = _first(
            self.resources, self.not_resources, lambda p: _is_of(p, check.resource, check.keys)
        )
        if resource is None or not conditions.hold(self.condition, check.keys):
            return None
        return Grant(self.policy, self.index, action, resource)

    def names(self, who: Principal) -> str:
        """How a resource's policy names a principal: `itself`, its `account`, or not at all
        ('')."""
        if self.not_principal is not None:
            return "" if _named(self.not_principal, who) else "itself"
        return _named(self.principal, who)


def _first(patterns: tuple[str, ...], excluded: tuple[str, ...], matches: Any) -> str | None:
    if excluded:
        return None if any(map(matches, excluded)) else "*"
    return next((pattern for pattern in patterns if matches(pattern)), None)


def _is_of(pattern: str, resource: str, keys: Keys) -> bool:
    wanted = filled(pattern, keys)
    return wanted is not None and arn_like(wanted, resource)


def _named(principal: Any, who: Principal) -> str:
    if principal == "*":
        return "itself"
    given = principal or {}
    if who.service:
        named = conditions.listed(given.get("Service", []))
        return "itself" if who.service in named or "*" in named else ""
    best = ""
    for entry in conditions.listed(given.get("AWS", [])):
        if entry in ("*", who.arn, who.role_arn):
            return "itself"
        if who.account and entry in (who.account, _root(who)):
            best = "account"
    return best


def _root(who: Principal) -> str:
    return f"arn:{who.arn.split(':')[1]}:iam::{who.account}:root"


@lru_cache(maxsize=1024)
def parse(policy: str, text: str) -> tuple[Statement, ...]:
    """The statements of a policy document. Raises MalformedPolicy."""
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise MalformedPolicy(f"{policy} is no JSON: {error}") from error
    given = document.get("Statement", []) if isinstance(document, dict) else None
    if given is None:
        raise MalformedPolicy(f"{policy} is no object")
    statements = given if isinstance(given, list) else [given]
    return tuple(_statement(policy, index, one) for index, one in enumerate(statements))


def _statement(policy: str, index: int, given: dict[str, Any]) -> Statement:
    unknown = sorted(set(given) - _ELEMENTS)
    if unknown or given.get("Effect") not in ("Allow", "Deny"):
        raise MalformedPolicy(
            f"{policy}, statement {index}: {unknown[0] if unknown else 'Effect'} is not what IAM "
            "takes"
        )
    return Statement(
        policy,
        index,
        given["Effect"],
        _texts(given.get("Action", ())),
        _texts(given.get("NotAction", ())),
        # A trust policy has no Resource: it is the role's own.
        _texts(given.get("Resource", () if "NotResource" in given else "*")),
        _texts(given.get("NotResource", ())),
        given.get("Condition", {}),
        given.get("Principal"),
        given.get("NotPrincipal"),
    )


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(conditions.listed(value if isinstance(value, str) else list(value)))


def of(statements: Iterable[Statement], effect: str) -> Iterable[Statement]:
    """Those of one effect."""
    return (one for one in statements if one.effect == effect)
