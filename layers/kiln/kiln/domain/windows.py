"""What is of Windows alone: the administrator's password by reference, and the seal."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import StringConstraints, field_validator

from kiln.domain.model import Model

# A secret of Secrets Manager, or a SecureString parameter; both are read with the instance's role.
_ARN = (
    r"^arn:aws[a-z-]*:(secretsmanager:[a-z0-9-]+:\d{12}:secret:"
    r"|ssm:[a-z0-9-]+:\d{12}:parameter/)[A-Za-z0-9/_+=.@-]+$"
)
SecretArn = Annotated[str, StringConstraints(pattern=_ARN)]


class SecretPassword(Model):
    """A password by reference; the value itself never enters a blueprint."""

    secret: SecretArn


class Windows(Model):
    """How a Windows image is generalised. `random` lets the launch agent make a password on each
    clone, which only the holder of its key pair can read."""

    sysprep: bool = True
    administrator_password: Literal["random"] | SecretPassword = "random"

    @field_validator("administrator_password", mode="before")
    @classmethod
    def _never_the_password_itself(cls, given: Any) -> Any:
        # What is written here by mistake may be a password: it must not be repeated.
        secret = given.get("secret") if isinstance(given, dict) and len(given) == 1 else None
        known = isinstance(given, SecretPassword) or given == "random"
        if known or (isinstance(secret, str) and re.match(_ARN, secret)):
            return given
        raise ValueError(
            "must be random, or {secret: ARN} of a Secrets Manager secret or SecureString parameter"
        )

    @property
    def password_reference(self) -> str:
        """The ARN of the password, empty for a random one."""
        password = self.administrator_password
        return "" if isinstance(password, str) else password.secret
