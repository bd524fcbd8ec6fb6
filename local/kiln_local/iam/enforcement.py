"""Stands before each call of a function or state machine: its role must allow all that it needs.

Clients outside, who have no role here, are asked for nothing, unless they call as a session that
they have assumed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from botocore.handlers import BUILTIN_HANDLERS
from moto.backends import get_backend

from kiln_local.iam import refusals
from kiln_local.iam.calls import Call, prefix_of
from kiln_local.iam.evaluation import Decision, Policies, decide, trusted
from kiln_local.iam.facts import backend
from kiln_local.iam.ledger import Ledger, Refusal, Use
from kiln_local.iam.needs import needs
from kiln_local.iam.patterns import Value
from kiln_local.iam.principals import identity, of_resource, role_of, session
from kiln_local.iam.statements import Check, Principal
from kiln_local.recorder import caller

_ASKED = "kiln_local_params"


@dataclass
class Enforcement:
    """The enforcement of one local AWS. `roles` are the ARNs of the roles of functions and state
    machines, by the names that they call under; `now` is simulated time."""

    account: str
    region: str
    now: Callable[[], datetime]
    roles: dict[str, str] = field(default_factory=dict)
    ledger: Ledger = field(default_factory=Ledger)
    active: bool = True

    def refuses(self, who: str, call: Call, key_id: str = "") -> str:
        """Why a call of a function or state machine is refused, in AWS's words; '' where it is
        allowed."""
        principal = self._principal(who, key_id)
        call = replace(call, account=principal.account)
        role = role_of(principal.role_arn)
        own = identity(role) if role else []
        keys = self.common_keys(principal, call)
        for check in needs(call):
            full = Check(check.action, check.resource, {**keys, **check.keys})
            theirs, account = of_resource(check.resource, call.region)
            made = _decide(full, Policies(principal, own, theirs, account))
            if not made.allowed:
                text = refusals.said(principal.arn, check, made.why)
                self.ledger.refuse(Refusal(who, call.name, text))
                return text
            self.ledger.allow(Use(who, call.name, full, made.grants))
        return ""

    def signed_in_vain(self, bucket: str, key: str) -> bool:
        """Whether who signed an address of an object may not read it."""
        return (bucket, key) in self.ledger.unsigned

    def _principal(self, who: str, key_id: str) -> Principal:
        """Whose session a call has: a role that was assumed, or the caller's own. A caller with no
        role in the template may do nothing at all."""
        if key_id.startswith("ASIA"):
            for account in _accounts():
                found = backend("sts", account, "aws").get_assumed_role_from_access_key(key_id)
                if found:
                    return session(found.role_arn, found.session_name)
        role = self.roles.get(who, f"arn:aws:iam::{self.account}:role/none")
        return session(role, who.partition(" ")[0])

    def common_keys(self, who: Principal, call: Call) -> dict[str, Value]:
        """Keys of every call, in lower case (IAM User Guide, "AWS global condition context
        keys")."""
        now = self.now().astimezone(UTC)
        role = who.role_arn.rpartition("/")[2]
        return {
            "aws:principalarn": who.role_arn,
            "aws:principalaccount": who.account,
            "aws:principaltype": "AssumedRole",
            "aws:principalisawsservice": "false",
            "aws:userid": f"AROA{role.upper()}:{who.arn.rpartition('/')[2]}",
            "aws:requestedregion": call.region,
            "aws:securetransport": "true",
            "aws:viaawsservice": "false",
            "aws:currenttime": f"{now:%Y-%m-%dT%H:%M:%SZ}",
            "aws:epochtime": str(int(now.timestamp())),
            "aws:resourceaccount": call.account,
        }


def _accounts() -> list[str]:
    return list(get_backend("sts"))


def _decide(check: Check, policies: Policies) -> Decision:
    assumes = check.action == "sts:AssumeRole"
    return trusted(check, policies) if assumes else decide(check, policies)


# ------------------------------------------------------------ botocore

_current: list[Enforcement] = []


def install(account: str, region: str, now: Callable[[], datetime]) -> Enforcement:
    """Let every botocore client made from now on ask the one that is returned."""
    enforcement = Enforcement(account, region, now)
    _current[:] = [enforcement]
    if not any(handler is _before for _, handler, *_ in BUILTIN_HANDLERS):
        BUILTIN_HANDLERS.append(("before-parameter-build", _keep))
        BUILTIN_HANDLERS.append(("before-call", _before))
    return enforcement


def remove() -> None:
    """Ask no more."""
    _current.clear()


def _keep(params: Mapping[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
    """Keep what a call asks for as its caller wrote it; what is signed for others counts now."""
    who = caller.get()
    if not _current or who is None:
        return
    context[_ASKED] = params
    if context.get("is_presign_request"):
        enforcement = _current[0]
        text = enforcement.refuses(who, _call(model, params, enforcement.region, enforcement))
        if text:
            enforcement.ledger.unsigned.add((str(params.get("Bucket")), str(params.get("Key"))))


def _call(model: Any, params: Mapping[str, Any], region: str, enforcement: Enforcement) -> Call:
    prefix = prefix_of(model.service_model.signing_name)
    return Call(prefix, model.name, params, region, enforcement.account)


def _before(
    model: Any, request_signer: Any, context: dict[str, Any], **_: Any
) -> tuple[Any, dict[str, Any]] | None:
    who = caller.get()
    if not _current or who is None or not _current[0].active:
        return None
    enforcement = _current[0]
    region = str(context.get("client_region") or enforcement.region)
    call = _call(model, context.get(_ASKED, {}), region, enforcement)
    credentials = request_signer._credentials
    text = enforcement.refuses(who, call, credentials.access_key if credentials else "")
    return refusals.answer(call.prefix, text) if text else None
