"""Instance-store images: EC2's key pair, and RegisterImage from a manifest in S3.

What ec2-bundle-vol made is really taken apart again: the parts' digests, the encrypted key, AES,
gzip and the digest of the whole are checked before the tree becomes an image.
"""

from __future__ import annotations

import gzip
import hashlib
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any
from xml.etree import ElementTree

from botocore.exceptions import ClientError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7
from moto.ec2.exceptions import EC2ClientError

# Reads an object: bucket and key.
Reading = Callable[[str, str], bytes]
_HEX = re.compile(r"^[0-9a-f]+$")


class Ec2Key:
    """The pair with which a bundle is encrypted for EC2. The certificate comes with the tools."""

    @cached_property
    def _key(self) -> rsa.RSAPrivateKey:
        # It takes a while to make, and few bakes need one.
        return rsa.generate_private_key(65537, 2048)

    def certificate(self) -> bytes:
        """PEM."""
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "EC2 of the local AWS")])
        now = datetime.now(UTC)
        builder = x509.CertificateBuilder(name, name, self._key.public_key(), 1)
        builder = builder.not_valid_before(now - timedelta(days=1))
        builder = builder.not_valid_after(now + timedelta(days=365))
        made = builder.sign(self._key, hashes.SHA256())
        return made.public_bytes(serialization.Encoding.PEM)

    def open(self, text: str) -> bytes:
        """What the tool encrypted: hexadecimal digits, in hexadecimal digits."""
        return bytes.fromhex(self._key.decrypt(bytes.fromhex(text), padding.PKCS1v15()).decode())


@dataclass(frozen=True)
class Bundle:
    """A bundle as its manifest describes it."""

    architecture: str
    name: str
    digest: str
    size: int
    key: bytes
    iv: bytes
    parts: tuple[tuple[str, str], ...]


def read_bundle(location: str, key: Ec2Key, read: Reading) -> tuple[Bundle, bytes]:
    """The bundle at `bucket/prefix/name.manifest.xml` and the tar inside. Raises EC2ClientError,
    as RegisterImage refuses."""
    bucket, _, path = location.partition("/")
    if not path.endswith(".manifest.xml"):
        raise EC2ClientError(
            "InvalidManifest",
            f"{location} is not the location of a manifest: BUCKET/KEY.manifest.xml",
        )
    bundle = _manifest(_read(bucket, path, read), key)
    folder = path.rpartition("/")[0]
    joined = b"".join(_parts(bundle, bucket, f"{folder}/" if folder else "", read))
    return bundle, _opened(bundle, joined)


def _read(bucket: str, key: str, read: Reading) -> bytes:
    try:
        return read(bucket, key)
    except ClientError as error:
        raise EC2ClientError(
            "InvalidAMIID.Unavailable", f"S3 could not read {bucket}/{key}: {error}"
        ) from error


def _manifest(text: bytes, key: Ec2Key) -> Bundle:
    try:
        root = ElementTree.fromstring(text)
        image = root.find("image")
        if root.tag != "manifest" or image is None:
            raise ValueError("it has no image")
        return Bundle(
            architecture=_text(root, "machine_configuration/architecture"),
            name=_text(image, "name"),
            digest=_text(image, "digest"),
            size=int(_text(image, "size")),
            key=key.open(_hex(image, "ec2_encrypted_key")),
            iv=key.open(_hex(image, "ec2_encrypted_iv")),
            parts=tuple(
                (_text(part, "filename"), _text(part, "digest"))
                for part in sorted(
                    image.findall("parts/part"), key=lambda p: int(p.attrib["index"])
                )
            ),
        )
    except (ElementTree.ParseError, ValueError, KeyError) as error:
        raise EC2ClientError("InvalidManifest", f"The manifest cannot be read: {error}") from error


def _text(element: Any, path: str) -> str:
    found = element.findtext(path)
    if not found:
        raise ValueError(f"it has no {path}")
    return str(found)


def _hex(element: Any, path: str) -> str:
    text = _text(element, path)
    if not _HEX.match(text):
        raise ValueError(f"{path} is no hexadecimal number")
    return text


def _parts(bundle: Bundle, bucket: str, prefix: str, read: Reading) -> Iterator[bytes]:
    if not bundle.parts:
        raise EC2ClientError("InvalidManifest", "The manifest has no parts")
    for name, digest in bundle.parts:
        body = _read(bucket, f"{prefix}{name}", read)
        if hashlib.sha1(body, usedforsecurity=False).hexdigest() != digest:
            raise EC2ClientError("InvalidManifest", f"The digest of part {name} does not match")
        yield body


def _opened(bundle: Bundle, joined: bytes) -> bytes:
    decryptor = Cipher(algorithms.AES(bundle.key), modes.CBC(bundle.iv)).decryptor()
    unpadder = PKCS7(128).unpadder()
    try:
        padded = decryptor.update(joined) + decryptor.finalize()
        tar = gzip.decompress(unpadder.update(padded) + unpadder.finalize())
    except (ValueError, OSError, EOFError, zlib.error) as error:
        raise EC2ClientError("InvalidManifest", f"The parts cannot be opened: {error}") from error
    whole = hashlib.sha1(tar, usedforsecurity=False).hexdigest()
    if (whole, len(tar)) != (bundle.digest, bundle.size):
        raise EC2ClientError("InvalidManifest", "The digest of the image does not match")
    return tar


def check_stop(instance: str, image: Any) -> None:
    """Raise as StopInstances does for an instance whose root would be lost."""
    if image is not None and image.root_device_type == "instance-store":
        raise EC2ClientError(
            "UnsupportedOperation",
            f"The instance '{instance}' does not have an 'ebs' root device type and cannot be "
            "stopped.",
        )
