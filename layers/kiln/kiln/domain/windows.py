"""What is of Windows alone: the administrator's password by reference, and the seal."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import StringConstraints

from kiln.domain.model import Model

# A secret of Secrets Manager, or a SecureString parameter; both are read with the instance's role.
SecretArn = Annotated[
    str,
    StringConstraints(
        pattern=r"^arn:aws[a-z-]*:(secretsmanager:[a-z0-9-]+:\d{12}:secret:"
        r"|ssm:[a-z0-9-]+:\d{12}:parameter/)[A-Za-z0-9/_+=.@-]+$"
    ),
]


class SecretPassword(Model):
    """A password by reference; the value itself never enters a blueprint."""

    secret: SecretArn


class Windows(Model):
    """How a Windows image is generalised. `random` lets the launch agent make a password on each
    clone, which only the holder of its key pair can read."""

    sysprep: bool = True
    administrator_password: Literal["random"] | SecretPassword = "random"

    @property
    def password_reference(self) -> str:
        """The ARN of the password, empty for a random one."""
        password = self.administrator_password
        return "" if isinstance(password, str) else password.secret
