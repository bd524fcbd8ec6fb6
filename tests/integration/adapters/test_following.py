"""What it takes to follow bases: the fakes and the adapters keep the same promises."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from kiln.adapters.certificates import HttpsCertificates
from kiln.adapters.follows import DynamoFollows
from kiln.adapters.signatures import X509Signatures
from kiln.domain.following import Follow
from kiln.errors import AwsBusy
from kiln.ports import Follows
from tests.builders import NOW
from tests.fakes import FakeFollows, FakeSignatures
from tests.integration.adapters.test_stacks import a_table
from tests.notices import TOPICS, event, signed, text_of

BEGIN, END = NOW - timedelta(days=1), NOW + timedelta(days=300)


@pytest.fixture(params=["fake", "dynamodb"])
def follows(request: pytest.FixtureRequest) -> Iterator[Follows]:
    if request.param == "fake":
        yield FakeFollows()
        return
    with a_table() as table:
        yield DynamoFollows(*table)


def a_follow(number: int, **more: Any) -> Follow:
    values = {"blueprint": "web", "base": "ami-1", "number": number, "attempt": number}
    rest = {"after": "ami-0", "bake": f"web-{number}", "at": NOW.isoformat()}
    return Follow(**(values | rest | more))


def test_of_two_who_write_the_same_number_one_does(follows: Follows) -> None:
    assert follows.last("web", "ami-1") is None
    assert follows.put(a_follow(1))
    assert not follows.put(a_follow(1, bake="other"))
    assert follows.last("web", "ami-1") == a_follow(1)
    assert follows.put(a_follow(2))
    assert not follows.put(a_follow(2, bake="other"))
    assert follows.last("web", "ami-1") == a_follow(2)
    assert follows.put(a_follow(1, base="ami-2"))
    assert follows.put(a_follow(1, blueprint="api"))
    assert follows.last("web", "ami-1") == a_follow(2)


# ------------------------------------------------------------ signatures


@cache
def key() -> rsa.RSAPrivateKey:
    """A key of somebody who signs; made once."""
    return rsa.generate_private_key(65537, 2048)


def certificate(private: Any = None) -> bytes:
    """A certificate of a key of theirs, from BEGIN to END."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sns.amazonaws.com")])
    builder = x509.CertificateBuilder(name, name, (private or key()).public_key(), 1)
    builder = builder.not_valid_before(BEGIN).not_valid_after(END)
    made = builder.sign(private or key(), hashes.SHA256())
    return made.public_bytes(serialization.Encoding.PEM)


def sign(text: bytes, digest: str) -> bytes:
    """RSA by PKCS #1 v1.5, as SNS signs."""
    kind = hashes.SHA1() if digest.lower() == "sha1" else hashes.SHA256()
    return key().sign(text, padding.PKCS1v15(), kind)


@pytest.mark.parametrize("digest", ["SHA1", "SHA256"])
@pytest.mark.parametrize("real", [False, True])
def test_what_was_signed_holds_and_nothing_else_does(real: bool, digest: Any) -> None:
    made = sign if real else FakeSignatures().sign
    signatures: Any = X509Signatures() if real else FakeSignatures()
    own = certificate() if real else b"a certificate of SNS"
    seal = made(b"text", digest)
    assert signatures.flaw(own, seal, b"text", digest, NOW) is None
    other = "SHA256" if digest == "SHA1" else "SHA1"
    forged = seal[:-1] + bytes([seal[-1] ^ 1])
    for text, sealed, kind in ((b"Text", seal, digest), (b"text", forged, digest),
                               (b"text", b"", digest), (b"text", seal, other)):  # fmt: skip
        assert signatures.flaw(own, sealed, text, kind, NOW) == "its signature does not verify"


def test_a_certificate_holds_in_its_time_alone_and_must_be_of_an_rsa_key() -> None:
    seal, signatures = sign(b"text", "SHA1"), X509Signatures()
    for at in (BEGIN - timedelta(seconds=1), END + timedelta(seconds=1)):
        found = signatures.flaw(certificate(), seal, b"text", "SHA1", at)
        assert found == f"its certificate is valid from {BEGIN:%Y-%m-%d} to {END:%Y-%m-%d} alone"
    for broken in (b"", b"<html>not found</html>", certificate()[:-200]):
        found = signatures.flaw(broken, seal, b"text", "SHA1", NOW)
        assert found == "its certificate cannot be read"
    curve = certificate(ec.generate_private_key(ec.SECP256R1()))
    found = signatures.flaw(curve, seal, b"text", "SHA1", NOW)
    assert found == "its certificate is not of an RSA key"


@pytest.mark.parametrize("name", ["amazon_linux", "windows", "amazon_linux_2023", "garbage"])
def test_a_notice_of_either_signature_version_is_verified_as_it_is_on_the_wire(name: str) -> None:
    from kiln.domain.notice import notice_from

    record = signed(event(name), sign)["Records"][0]
    notice = notice_from(record, TOPICS)
    assert notice.signed == text_of(record["Sns"])
    flaw = X509Signatures().flaw(certificate(), notice.sealed, notice.signed, notice.digest, NOW)
    assert flaw is None


# ------------------------------------------------------------ certificates


@contextmanager
def a_server(*answers: tuple[int, bytes]) -> Iterator[tuple[str, list[str]]]:
    """A server on loopback that gives these answers in turn; its address, and what was asked."""
    left, asked = list(answers), []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            status, body = left.pop(0)
            self.send_response(status)
            self.send_header("Location", "/elsewhere.pem")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


def test_a_certificate_is_fetched_once() -> None:
    with a_server((200, b"one"), (200, b"two")) as (address, asked):
        certificates = HttpsCertificates()
        found = [certificates.read(f"{address}/{name}.pem") for name in "aab"]
    assert found == [b"one", b"one", b"two"]
    assert asked == ["/a.pem", "/b.pem"]


def test_what_is_not_there_is_none_and_no_redirection_is_followed() -> None:
    with a_server((404, b""), (302, b""), (200, b"x" * 70_000)) as (address, asked):
        certificates = HttpsCertificates()
        assert [certificates.read(f"{address}/{name}.pem") for name in "abc"] == [None] * 3
    assert asked == ["/a.pem", "/b.pem", "/c.pem"]


def test_a_server_that_fails_or_cannot_be_reached_is_busy() -> None:
    with a_server((503, b"")) as (address, _):
        certificates = HttpsCertificates()
        with pytest.raises(AwsBusy, match="503"):
            certificates.read(f"{address}/a.pem")
    with pytest.raises(AwsBusy, match="did not get through"):
        certificates.read(f"{address}/a.pem")


def test_no_more_certificates_are_kept_than_sns_has() -> None:
    with a_server(*((200, bytes([n])) for n in range(20))) as (address, asked):
        certificates = HttpsCertificates()
        for name in (*range(18), 17, 0):
            certificates.read(f"{address}/{name}.pem")
    assert asked == [f"/{name}.pem" for name in (*range(18), 0)]
