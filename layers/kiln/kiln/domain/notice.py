"""A notice of Amazon SNS as Lambda gets it: what is signed, and what must hold of it before anybody
looks at the signature.

Fields: Lambda Developer Guide, "Using Lambda with Amazon SNS". What is signed, and how: SNS
Developer Guide, "Verifying the signatures of Amazon SNS messages".
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, ValidationError

from kiln.domain.model import Lenient, explain

_SIGNED = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
# Signature versions 1 and 2.
_DIGESTS: dict[str, Literal["SHA1", "SHA256"]] = {"1": "SHA1", "2": "SHA256"}
_CERTIFICATE = re.compile(r"/SimpleNotificationService-[0-9a-zA-Z]+\.pem")
_TOPIC = re.compile(r"arn:(?P<partition>aws[a-z-]*):sns:(?P<region>[a-z0-9-]+):[0-9]{12}:[\w-]+")
# `2018.03.0.20180412`, `2023.8.20250818`, `2018.01.05`.
_RELEASE = re.compile(r"\b[0-9]{4}\.[0-9]{1,2}\.[0-9]+(?:\.[0-9]+)*\b")


class NoNotice(ValueError):
    """What came is no notice that Kiln listens to; the text says why."""


class Notice(Lenient):
    """A notice. `subject` is None where it has none."""

    type: str = Field(alias="Type")
    message_id: str = Field(alias="MessageId")
    topic: str = Field(alias="TopicArn")
    subject: str | None = Field(None, alias="Subject")
    message: str = Field(alias="Message")
    timestamp: str = Field(alias="Timestamp")
    signature_version: str = Field(alias="SignatureVersion")
    signature: str = Field(alias="Signature")
    certificate: str = Field(alias="SigningCertUrl")

    @property
    def digest(self) -> Literal["SHA1", "SHA256"]:
        """The hash function of its signature version."""
        return _DIGESTS[self.signature_version]

    @property
    def signed(self) -> bytes:
        """What SNS has signed: names and values, line by line, a subject only where there is
        one."""
        given = self.model_dump(by_alias=True)
        lines = (f"{name}\n{given[name]}\n" for name in _SIGNED if given[name] is not None)
        return "".join(lines).encode("utf-8", "surrogatepass")

    @property
    def sealed(self) -> bytes:
        """The signature itself."""
        return base64.b64decode(self.signature, validate=True)

    @property
    def release(self) -> str:
        """The release that it tells of, as far as it can be made out; for the log alone."""
        return (
            _told(self.message) or _found(self.subject or "") or _found(self.message) or "unknown"
        )


def notice_from(record: dict[str, Any], topics: tuple[str, ...]) -> Notice:
    """The notice in a record of Lambda's event. NoNotice, unless it is of one of the topics, came
    by a subscription to it, and names a certificate that is SNS's own."""
    try:
        notice = Notice.model_validate(record.get("Sns"))
    except ValidationError as error:
        raise NoNotice(f"it is no notice of SNS: {explain(error, Notice)}") from error
    if notice.type != "Notification":
        raise NoNotice(f"its type is {notice.type[:40]!r}, not Notification")
    if notice.topic not in topics:
        raise NoNotice(f"topic {notice.topic[:200]!r} is not one that Kiln listens to")
    subscription = str(record.get("EventSubscriptionArn"))
    if subscription.rpartition(":")[0] != notice.topic:
        raise NoNotice(f"it came by the subscription {subscription[:200]!r}, of another topic")
    if notice.signature_version not in _DIGESTS:
        raise NoNotice(f"signature version {notice.signature_version[:40]!r} is not known")
    if not _is_of_sns(notice.certificate, notice.topic):
        raise NoNotice(f"its certificate lies at {notice.certificate[:200]!r}, which is not SNS's")
    _check_seal(notice)
    return notice


def _check_seal(notice: Notice) -> None:
    try:
        sealed = notice.sealed
    except (binascii.Error, ValueError) as error:
        raise NoNotice("its signature is not Base64") from error
    if not sealed:
        raise NoNotice("its signature is empty")


def _is_of_sns(address: str, topic: str) -> bool:
    """Whether an address is of SNS in the topic's Region. Any Region will not do: a bucket called
    `sns` has a name of that kind in S3, sns.s3-us-west-2.amazonaws.com."""
    found = _TOPIC.fullmatch(topic)
    if found is None:
        return False
    suffix = "amazonaws.com.cn" if found["partition"] == "aws-cn" else "amazonaws.com"
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    host = f"sns.{found['region']}.{suffix}"
    exact = address == f"https://{host}{parts.path}"
    return exact and _CERTIFICATE.fullmatch(parts.path) is not None


def _told(message: str) -> str:
    """The version that Amazon Linux's JSON names."""
    try:
        said = json.loads(message)
    except (ValueError, RecursionError):
        return ""
    told = said.get("v1") if isinstance(said, dict) else None
    version = told.get("ImageVersion") if isinstance(told, dict) else None
    return version[:40] if isinstance(version, str) else ""


def _found(text: str) -> str:
    found = _RELEASE.search(text[:4000])
    return found[0][:40] if found else ""
