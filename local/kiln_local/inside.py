"""What a program inside an instance may ask of the local AWS: objects in S3, by the commands that
would reach them on AWS. The policy of the instance's role is not looked at."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import jmespath  # type: ignore[import-untyped]
from botocore.exceptions import BotoCoreError, ClientError

from kiln_local.machines.asking import Answer
from kiln_local.windows.errors import ScriptError

_HERE = "s3 cp, s3api head-object, s3api get-object and s3api put-object"
_METADATA = "169.254.169.254"
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
# S3's own addresses, with the bucket before or in the path (S3 User Guide, "Virtual hosting of
# buckets"). A signature is as good as any: the local AWS looks at none.
_S3 = re.compile(r"(?:([a-z0-9.-]+)\.)?s3(?:[.-][a-z0-9-]+)?\.amazonaws\.com(?:\.cn)?")
# What the aws command ends with: 254 AWS said no, 252 the command line is wrong.
_REFUSED, _WRONG = 254, 252


class Inside:
    """Answers for one local AWS; `client` makes a client of a service, `certificate` is EC2's, with
    which bundles are encrypted. `signed_in_vain` says of a bucket and a key whether who signed an
    address may not read it: S3 asks when the address is used."""

    def __init__(
        self,
        client: Callable[[str], Any],
        certificate: Callable[[], bytes],
        signed_in_vain: Callable[[str, str], bool] = lambda *_: False,
    ) -> None:
        self._client = client
        self._certificate = certificate
        self._signed_in_vain = signed_in_vain

    def answer(self, words: Sequence[str], sent: bytes | None) -> Answer:
        """`aws ...` or `curl URL`."""
        program, rest = words[0], list(words[1:])
        try:
            if program == "ec2-certificate":
                return Answer(0, "", self._certificate())
            if program == "curl":
                return self._curl(rest[-1])
            return self._aws(rest, sent)
        except ClientError as error:
            return Answer(_REFUSED, f"\n{error}\n")
        except (BotoCoreError, IndexError, KeyError, ValueError) as error:
            return Answer(_WRONG, f"local AWS: {program} {' '.join(rest)}: {error}\n")

    def fetch(self, url: str) -> bytes:
        """What lies at an address, for a Windows. Raises ScriptError."""
        found = self.answer(["curl", url], None)
        if found.status or found.body is None:
            raise ScriptError(found.said.strip())
        return found.body

    def _aws(self, words: list[str], sent: bytes | None) -> Answer:
        options = _options(words)
        if words[:2] == ["s3", "cp"]:
            return self._copy(words[2], words[3], sent)
        request = {"Bucket": options.get("--bucket", ""), "Key": options.get("--key", "")}
        if "--version-id" in options:
            request["VersionId"] = options["--version-id"]
        s3 = self._client("s3")
        if words[:2] == ["s3api", "head-object"]:
            return Answer(0, _printed(s3.head_object(**request), options))
        if words[:2] == ["s3api", "get-object"]:
            found = s3.get_object(**request)
            return Answer(0, _printed(found, options), found.pop("Body").read())
        if words[:2] == ["s3api", "put-object"]:
            return Answer(0, _printed(s3.put_object(**request, Body=sent or b""), options))
        return Answer(_WRONG, f"local AWS: aws {' '.join(words[:2])} is not here; {_HERE} are\n")

    def _copy(self, source: str, target: str, sent: bytes | None) -> Answer:
        s3 = self._client("s3")
        if source.startswith("s3://"):
            body = s3.get_object(**_object(source))["Body"].read()
            return Answer(0, "" if target == "-" else f"download: {source} to {target}\n", body)
        s3.put_object(**_object(target), Body=sent or b"")
        return Answer(0, f"upload: {source} to {target}\n")

    def _curl(self, url: str) -> Answer:
        address = urlsplit(url)
        if address.hostname == _METADATA:
            return _metadata(address.path)
        s3 = _S3.fullmatch(address.hostname or "")
        if address.scheme not in ("http", "https") or not (s3 or address.hostname in _LOOPBACK):
            said = (
                f"curl: (6) local AWS: {address.hostname or url} is not reached, there is no "
                "network here; an object of the local AWS is, as http://127.0.0.1/BUCKET/KEY\n"
            )
            return Answer(6, said)
        bucket = f"/{s3[1]}" if s3 and s3[1] else ""
        request = _object(f"s3:/{bucket}{unquote(address.path)}")
        asked = parse_qs(address.query)
        for version in asked.get("versionId", ()):
            request["VersionId"] = version
        signed = asked.keys() & {"X-Amz-Signature", "Signature"}
        if signed and self._signed_in_vain(request["Bucket"], request["Key"]):
            return Answer(22, "curl: (22) local AWS: the requested URL returned error: 403\n")
        try:
            return Answer(0, "", self._client("s3").get_object(**request)["Body"].read())
        except ClientError as error:
            return Answer(22, f"curl: (22) local AWS: the requested URL returned error: {error}\n")


def _metadata(path: str) -> Answer:
    """The instance metadata service, as far as documents ask it (EC2 User Guide, "Instance
    metadata categories"). The credentials are as good as any: the local AWS looks at none."""
    role = "meta-data/iam/security-credentials/"
    known = {
        "api/token": "local-token",
        role: "kiln-builder",
        f"{role}kiln-builder": json.dumps(
            {
                "Code": "Success",
                "Type": "AWS-HMAC",
                "AccessKeyId": "ASIALOCAL",
                "SecretAccessKey": "local",
                "Token": "local",
            },
            indent=2,
        ),
        "meta-data/kernel-id": "aki-12345678",
    }
    found = known.get(path.removeprefix("/latest/"))
    if found is None:
        return Answer(22, f"curl: (22) local AWS: the metadata service has no {path}: error: 404\n")
    return Answer(0, "", found.encode())


def _options(words: list[str]) -> dict[str, str]:
    pairs = pairwise(words)
    return {name: value for name, value in pairs if name.startswith("--")}


def _object(uri: str) -> dict[str, str]:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return {"Bucket": bucket, "Key": key}


def _printed(found: dict[str, Any], options: dict[str, str]) -> str:
    """As the aws command prints an answer: JSON, or with `--output text` a line of tabs."""
    shown = {k: v for k, v in found.items() if k not in ("ResponseMetadata", "Body")}
    value = jmespath.search(options["--query"], shown) if "--query" in options else shown
    if options.get("--output") == "text":
        values = value if isinstance(value, list) else [value]
        return "\t".join("None" if v is None else str(v) for v in values) + "\n"
    return json.dumps(value, indent=4, default=str) + "\n"
