"""Notices of SNS for tests: the files in events/, signed by whoever a test trusts."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

EVENTS = Path(__file__).parents[1] / "events"
PUBLISHER = "arn:aws:sns:us-east-1:137112412989:"
TOPICS = (
    f"{PUBLISHER}amazon-linux-ami-updates",
    f"{PUBLISHER}amazon-linux-2-ami-updates",
    f"{PUBLISHER}amazon-linux-2023-ami-updates",
    "arn:aws:sns:us-east-1:801119661308:ec2-windows-ami-update",
)
NOTICES = ("amazon_linux", "windows", "amazon_linux_2023", "garbage")
# Signs a text under a digest.
Sign = Callable[[bytes, str], bytes]


def event(name: str = "") -> dict[str, Any]:
    """An input of FollowBases as events/ has it."""
    path = EVENTS / f"follow_bases{'_' if name else ''}{name}.json"
    return dict(json.loads(path.read_text()))


def text_of(sns: dict[str, Any]) -> bytes:
    """What SNS signs of a notice (SNS Developer Guide), written without a look at Kiln's own."""
    lines = []
    for name in ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"):
        if sns.get(name) is not None:
            lines += [name, sns[name]]
    return ("\n".join(lines) + "\n").encode()


def signed(given: dict[str, Any], sign: Sign) -> dict[str, Any]:
    """An event with every notice in it signed."""
    made = copy.deepcopy(given)
    for record in made["Records"]:
        sns = record["Sns"]
        digest = {"1": "sha1", "2": "sha256"}[sns["SignatureVersion"]]
        sns["Signature"] = base64.b64encode(sign(text_of(sns), digest)).decode()
    return made
