"""SNS: notices to functions, signed as SNS signs, and the topics on which AWS tells of new images.

They belong to AWS's own accounts; whoever publishes on one here plays AWS. The certificate is of
this local AWS's making and is served in place of SNS's, to whoever fetches it. Record: Lambda
Developer Guide, "Using Lambda with Amazon SNS". Signature: SNS Developer Guide, "Verifying the
signatures of Amazon SNS messages". Principals: SNS Developer Guide, "Sending Amazon SNS messages to
an Amazon SQS queue or AWS Lambda function in a different Region".
"""

from __future__ import annotations

import base64
import hashlib
import logging
import uuid
from collections import deque
from collections.abc import Iterator
from datetime import timedelta
from functools import cached_property
from typing import Any

from kiln_local.clock import SimClock
from kiln_local.events import AwsEvents
from kiln_local.latencies import Latencies
from kiln_local.patches import Patches

_log = logging.getLogger(__name__)
# Where the topics are, whatever Region a subscriber is in.
REGION = "us-east-1"
TOPICS = {
    "amazon-linux-ami-updates": "137112412989",
    "amazon-linux-2-ami-updates": "137112412989",
    "amazon-linux-2023-ami-updates": "137112412989",
    "ec2-windows-ami-update": "801119661308",
}
# Regions from before 20 March 2019; all others are opt-in, for SNS that of Osaka too.
_DEFAULT_REGIONS = frozenset(
    (
        *("us-east-1", "us-east-2", "us-west-1", "us-west-2", "ca-central-1", "sa-east-1"),
        *("eu-west-1", "eu-west-2", "eu-west-3", "eu-central-1", "eu-north-1"),
        *("ap-south-1", "ap-northeast-1", "ap-northeast-2", "ap-southeast-1", "ap-southeast-2"),
    )
)
_SIGNED = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_LIFE = timedelta(days=3650)


class Notices:
    """The delivery of SNS to functions of one local AWS. `sent` are the newest events."""

    def __init__(self, clock: SimClock, latencies: Latencies, events: AwsEvents) -> None:
        self._clock = clock
        self._latencies = latencies
        self._events = events
        self.sent: deque[dict[str, Any]] = deque(maxlen=1000)

    # ------------------------------------------------------------ signing

    @cached_property
    def _key(self) -> Any:
        # It takes a while to make, and few need one.
        from cryptography.hazmat.primitives.asymmetric import rsa

        return rsa.generate_private_key(65537, 2048)

    @cached_property
    def certificate(self) -> bytes:
        """PEM, of a certificate that SNS of this local AWS signs with."""
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization

        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sns.amazonaws.com")])
        builder = x509.CertificateBuilder(name, name, self._key.public_key(), 1)
        now = self._clock.now()
        builder = builder.not_valid_before(now - _LIFE).not_valid_after(now + _LIFE)
        made = builder.sign(self._key, hashes.SHA256())
        return made.public_bytes(serialization.Encoding.PEM)

    @cached_property
    def _file(self) -> str:
        digest = hashlib.sha256(self.certificate).hexdigest()[:32]
        return f"/SimpleNotificationService-{digest}.pem"

    def fetch(self, address: str) -> tuple[int, bytes]:
        """What SNS serves at an address: the certificate, or status 404."""
        return (200, self.certificate) if address.endswith(self._file) else (404, b"")

    def sign(self, notice: dict[str, Any]) -> dict[str, Any]:
        """A notice with its signature, as its SignatureVersion says, and where the certificate
        lies."""
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import padding

        lines = [f"{k}\n{notice[k]}\n" for k in _SIGNED if notice.get(k) is not None]
        kind = hashes.SHA256() if notice["SignatureVersion"] == "2" else hashes.SHA1()
        seal = self._key.sign("".join(lines).encode(), padding.PKCS1v15(), kind)
        region = notice["TopicArn"].split(":")[3]
        return notice | {
            "Signature": base64.b64encode(seal).decode(),
            "SigningCertUrl": f"https://sns.{region}.amazonaws.com{self._file}",
        }

    # ------------------------------------------------------------ delivery

    def publish(self, topic: str, message: str, subject: str | None = None) -> None:
        """Publish on one of AWS's own topics, by its name."""
        backend = _backend(TOPICS[topic])
        backend.publish(message, f"arn:aws:sns:{REGION}:{TOPICS[topic]}:{topic}", subject=subject)

    def deliver(self, subscription: Any, message: str, subject: str | None, more: Any) -> None:
        """Hand a notice to the function of a subscription, if its policy lets SNS call it."""
        topic, name = subscription.topic, subscription.endpoint.split(":")[6]
        if not self._may_call(topic.arn, subscription.endpoint):
            _log.warning("SNS may not call %s for %s: its policy does not say so", name, topic.arn)
            return
        signed = self.sign(self._notice(topic, message, subject, more))
        record = {
            "EventSource": "aws:sns",
            "EventVersion": "1.0",
            "EventSubscriptionArn": subscription.arn,
            "Sns": signed,
        }
        event = {"Records": [record]}
        self.sent.append(event)
        delay = self._latencies.draw("notice-delivered")
        lambdas = self._events.lambdas
        if lambdas:
            self._clock.later(delay, lambda: lambdas.invoke(name, event))

    def _notice(self, topic: Any, message: str, subject: str | None, more: Any) -> dict[str, Any]:
        return {
            "Type": "Notification",
            "MessageId": str(uuid.uuid4()),
            "TopicArn": topic.arn,
            "Subject": subject,
            "Message": message,
            "Timestamp": f"{self._clock.now():%Y-%m-%dT%H:%M:%S.000Z}",
            "SignatureVersion": getattr(topic, "signature_version", "1"),
            "UnsubscribeUrl": f"https://sns.{REGION}.amazonaws.com/?Action=Unsubscribe",
            "MessageAttributes": more or {},
        }

    def _may_call(self, topic: str, endpoint: str) -> bool:
        from moto.awslambda.utils import get_backend

        _, _, _, region, account, _, name = endpoint.split(":")
        opt_in = region not in _DEFAULT_REGIONS and REGION in _DEFAULT_REGIONS
        principal = f"sns.{region}.amazonaws.com" if opt_in else "sns.amazonaws.com"
        statements = get_backend(account, region).get_function(name).policy.statements
        return any(
            s["Principal"] == {"Service": principal} and topic in _sources(s) for s in statements
        )


def _sources(statement: dict[str, Any]) -> Iterator[str]:
    for condition in statement.get("Condition", {}).values():
        yield from (str(value) for key, value in condition.items() if key.endswith("SourceArn"))


def _backend(account: str) -> Any:
    from moto.backends import get_backend

    return get_backend("sns")[account][REGION]


def connect(patches: Patches, notices: Notices) -> None:
    """Let moto's SNS deliver here, over the borders of accounts, and make AWS's own topics."""
    from moto.sns.models import SNSBackend, Subscription, sns_backends

    from kiln.adapters.certificates import HttpsCertificates

    publish = Subscription.publish

    def published(self: Any, message: str, message_id: str, **more: Any) -> None:
        if self.protocol == "lambda":
            notices.deliver(self, message, more.get("subject"), more.get("message_attributes"))
        else:
            publish(self, message, message_id, **more)

    def subscriptions(self: Any, topic: Any) -> list[Any]:
        everybody = [account[self.region_name] for account in list(sns_backends.values())]
        return [s for b in everybody for s in b.subscriptions.values() if s.topic is topic]

    patches.set(Subscription, "publish", published)
    patches.set(SNSBackend, "_get_topic_subscriptions", subscriptions)
    patches.set(HttpsCertificates, "fetch", lambda _, address: notices.fetch(address))
    for name, account in TOPICS.items():
        _backend(account).create_topic(name)
