"""Policies as moto reads them: without their conditions, so that a Deny for plain HTTP or for other
accounts would deny everything. `kiln_local.iam` reads them whole."""

from __future__ import annotations

from typing import Any

from moto.iam.access_control import IAMPolicyStatement, PermissionResult

from kiln_local.patches import Patches


def connect(patches: Patches) -> None:
    """Leave out statements with conditions."""
    original = IAMPolicyStatement.is_action_permitted

    def is_action_permitted(self: Any, *args: Any, **kwargs: Any) -> PermissionResult:
        if self._statement.get("Condition"):
            return PermissionResult.NEUTRAL
        return original(self, *args, **kwargs)

    patches.set(IAMPolicyStatement, "is_action_permitted", is_action_permitted)
