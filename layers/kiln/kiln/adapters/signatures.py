"""RSA signatures under X.509 certificates, by the library `cryptography`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256

if TYPE_CHECKING:
    from datetime import datetime


class X509Signatures:
    """`Signatures` by cryptography."""

    def flaw(
        self,
        certificate: bytes,
        signature: bytes,
        text: bytes,
        digest: Literal["SHA1", "SHA256"],
        at: datetime,
    ) -> str | None:
        """Why a signature does not hold."""
        try:
            found = x509.load_pem_x509_certificate(certificate)
            key = found.public_key()
        except ValueError:
            return "its certificate cannot be read"
        if not found.not_valid_before_utc <= at <= found.not_valid_after_utc:
            begin, end = found.not_valid_before_utc, found.not_valid_after_utc
            return f"its certificate is valid from {begin:%Y-%m-%d} to {end:%Y-%m-%d} alone"
        if not isinstance(key, RSAPublicKey):
            return "its certificate is not of an RSA key"
        try:
            # SHA-1 is what topics sign with unless told otherwise (SignatureVersion 1).
            key.verify(signature, text, PKCS1v15(), SHA1() if digest == "SHA1" else SHA256())
        except InvalidSignature:
            return "its signature does not verify"
        return None
