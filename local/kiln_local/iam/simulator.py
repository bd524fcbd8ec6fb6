"""IAM's simulator: what a role's policies say of actions, by the evaluation that calls go through.

IAM API, SimulatePrincipalPolicy and EvaluationResult: `allowed`, `explicitDeny`, `implicitDeny`.
Policies of resources are not asked, as AWS's does not unless they are given.
"""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.iam.exceptions import NotFoundException
from moto.iam.responses import IamResponse

from kiln_local.iam.evaluation import Policies, decide
from kiln_local.iam.principals import AWS_OWN, identity, in_force, role_of, session
from kiln_local.iam.statements import Check, Statement, parse
from kiln_local.patches import Patches


def connect(patches: Patches) -> None:
    """Let moto's IAM simulate."""

    def simulate_principal_policy(self: IamResponse) -> ActionResult:
        arn = self._get_param("PolicySourceArn")
        resources = self._get_param("ResourceArns", []) or ["*"]
        actions = self._get_param("ActionNames", [])
        results = [_judged(arn, action, resource) for action in actions for resource in resources]
        return ActionResult({"EvaluationResults": results, "IsTruncated": False})

    patches.set(IamResponse, "simulate_principal_policy", simulate_principal_policy)


def _judged(arn: str, action: str, resource: str) -> dict[str, Any]:
    role = role_of(arn)
    if role is None:
        raise NotFoundException(f"{arn} cannot be found.")
    statements = [*identity(role), *_of_aws(role)]
    made = decide(Check(action, resource), Policies(session(arn, "simulated"), statements))
    denied = "explicitDeny" if "explicit deny" in made.why else "implicitDeny"
    return {
        "EvalActionName": action,
        "EvalResourceName": resource,
        "EvalDecision": "allowed" if made.allowed else denied,
        "MatchedStatements": [],
        "MissingContextValues": [],
    }


def _of_aws(role: Any) -> list[Statement]:
    """AWS's own policies, which the enforcement of functions leaves out."""
    found: list[Statement] = []
    for arn, policy in list(role.managed_policies.items()):
        if arn.startswith(AWS_OWN):
            found += parse(arn, in_force(policy))
    return found
