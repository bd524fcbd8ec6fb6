"""Policies: moto reads a statement without its conditions, so that a Deny for plain HTTP would
deny everything."""

from __future__ import annotations

from typing import Any

from moto.iam.access_control import IAMPolicyStatement, PermissionResult

from kiln_local.patches import Patches


def connect(patches: Patches) -> None:
    """Leave out statements that hold for plain HTTP alone: every caller here stands for one that
    uses TLS."""
    original = IAMPolicyStatement.is_action_permitted

    def is_action_permitted(self: Any, *args: Any, **kwargs: Any) -> PermissionResult:
        condition = self._statement.get("Condition", {})
        if str(condition.get("Bool", {}).get("aws:SecureTransport", "")).lower() == "false":
            return PermissionResult.NEUTRAL
        return original(self, *args, **kwargs)

    patches.set(IAMPolicyStatement, "is_action_permitted", is_action_permitted)
