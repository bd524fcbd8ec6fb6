"""Certificates behind https addresses, each fetched once a process."""

from __future__ import annotations

from botocore.awsrequest import AWSRequest
from botocore.httpsession import URLLib3Session

from kiln.adapters._errors import translated
from kiln.errors import AwsBusy

# A certificate of SNS has two kilobytes, and SNS signs with one of a handful.
_LARGEST, _MOST = 64 * 1024, 16
_SECONDS = 10


class HttpsCertificates:
    """`Certificates` by botocore's own session: it trusts whom botocore trusts, and follows no
    redirection."""

    def __init__(self) -> None:
        self._known: dict[str, bytes] = {}

    def read(self, address: str) -> bytes | None:
        """A certificate, from memory where it was read before."""
        if address in self._known:
            return self._known[address]
        status, body = self.fetch(address)
        if status >= 500:
            raise AwsBusy(f"{address} answers with status {status}")
        if status != 200 or len(body) > _LARGEST:
            return None
        while len(self._known) >= _MOST:
            del self._known[next(iter(self._known))]
        self._known[address] = body
        return body

    def fetch(self, address: str) -> tuple[int, bytes]:
        """The HTTP status and the body at an address. AwsBusy."""
        with translated("sns", "SigningCert"):
            answer = URLLib3Session(timeout=_SECONDS).send(AWSRequest("GET", address).prepare())
            return answer.status_code, answer.content
