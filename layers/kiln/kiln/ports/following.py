"""What it takes to follow bases: what was begun for them, and whether a notice is true.

Every method may raise AwsBusy or AwsRefused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    from kiln.domain.following import Follow


class Follows(Protocol):
    """The last bake of each blueprint for each base image."""

    def last(self, blueprint: str, base: str) -> Follow | None:
        """The last bake of a blueprint for a base image."""
        ...

    def put(self, follow: Follow) -> bool:
        """Write a blueprint's next bake for a base image; False where somebody else has written one
        of that number."""
        ...


class Certificates(Protocol):
    """Certificates that lie behind https addresses."""

    def read(self, address: str) -> bytes | None:
        """A certificate, None where there is none at that address."""
        ...


class Signatures(Protocol):
    """Signatures by RSA (PKCS #1 v1.5) under an X.509 certificate."""

    def flaw(
        self,
        certificate: bytes,
        signature: bytes,
        text: bytes,
        digest: Literal["SHA1", "SHA256"],
        at: datetime,
    ) -> str | None:
        """Why a signature does not hold at a time, None where it does."""
        ...
