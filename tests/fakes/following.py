"""What it takes to follow bases, in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from kiln.domain.following import Follow

CERTIFICATE = b"a certificate of SNS"


@dataclass
class FakeFollows:
    """The last bake of each blueprint for each base; `before_put` is called before one is
    written."""

    known: dict[tuple[str, str], Follow] = field(default_factory=dict)
    before_put: Callable[[], None] = lambda: None

    def last(self, blueprint: str, base: str) -> Follow | None:
        return self.known.get((blueprint, base))

    def put(self, follow: Follow) -> bool:
        self.before_put()
        key = follow.blueprint, follow.base
        before = self.known.get(key)
        if follow.number != (before.number if before else 0) + 1:
            return False
        self.known[key] = follow
        return True


@dataclass
class FakeCertificates:
    """Certificates by address; any address of SNS has the same one unless a test says otherwise."""

    known: dict[str, bytes | None] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def read(self, address: str) -> bytes | None:
        self.asked.append(address)
        return self.known.get(address, CERTIFICATE)


class FakeSignatures:
    """A signature is a digest of certificate and text."""

    def sign(self, text: bytes, digest: str, certificate: bytes = CERTIFICATE) -> bytes:
        """What the owner of the certificate would sign a text with."""
        return hashlib.new(digest, certificate + text).digest()

    def flaw(
        self, certificate: bytes, signature: bytes, text: bytes, digest: str, at: datetime
    ) -> str | None:
        true = signature == self.sign(text, digest, certificate)
        return None if true else "its signature does not verify"
