"""What policies say of a call: an explicit Deny wins, then an Allow, then nothing is allowed.

Source: IAM User Guide, "Policy evaluation logic" and "Cross-account policy evaluation logic". Kept
out, because no template of Kiln's has them: permissions boundaries, organizations' policies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kiln_local.iam.statements import Check, Grant, Principal, Statement, of

IDENTITY, RESOURCE = "identity-based", "resource-based"


@dataclass(frozen=True)
class Decision:
    """What was decided. `grants` allowed it; `why` is AWS's own end of the sentence where nothing
    did."""

    allowed: bool
    grants: tuple[Grant, ...] = ()
    why: str = ""


@dataclass(frozen=True)
class Policies:
    """Who asks, what that role's own policies say, and what the policy of the resource says; its
    account is '' where a resource has none, as S3's buckets in an ARN."""

    who: Principal
    identity: Sequence[Statement]
    resource: Sequence[Statement] | None = None
    resource_account: str = ""


def decide(check: Check, policies: Policies) -> Decision:
    """Allowed or not, and why."""
    who, theirs = policies.who, policies.resource or ()
    if any(one.match(check) for one in of(policies.identity, "Deny")):
        return Decision(False, why=_denied(IDENTITY))
    if any(one.names(who) and one.match(check) for one in of(theirs, "Deny")):
        return Decision(False, why=_denied(RESOURCE))
    own = tuple(found for one in of(policies.identity, "Allow") if (found := one.match(check)))
    named = [
        (one.names(who), found)
        for one in of(theirs, "Allow")
        if one.names(who) and (found := one.match(check))
    ]
    itself = tuple(found for how, found in named if how == "itself")
    if who.service:
        return Decision(True, itself) if itself else _nothing(check, RESOURCE)
    abroad = bool(policies.resource_account) and policies.resource_account != who.account
    if abroad:
        if not own:
            return _nothing(check, IDENTITY)
        return Decision(True, own) if named else _nothing(check, RESOURCE)
    return Decision(True, own + itself) if own or itself else _nothing(check, IDENTITY)


def trusted(check: Check, policies: Policies) -> Decision:
    """Whether a role may be assumed: its trust policy must name who asks, itself or by its account,
    and then that one's own policies count too (IAM User Guide, "Cross-account policy evaluation
    logic"; in one account the role's own ARN in the trust policy is enough)."""
    theirs = policies.resource or ()
    if not any(one.names(policies.who) and one.match(check) for one in of(theirs, "Allow")):
        return _nothing(check, RESOURCE)
    return decide(check, policies)


def _denied(kind: str) -> str:
    return f"with an explicit deny in {'an' if kind == IDENTITY else 'a'} {kind} policy"


def _nothing(check: Check, kind: str) -> Decision:
    return Decision(False, why=f"because no {kind} policy allows the {check.action} action")
