"""Scripts that users keep in S3."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kiln.adapters._errors import translated
from kiln.domain.step import LONGEST_SCRIPT
from kiln.errors import AwsRefused, InvalidBlueprint

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class S3Scripts:
    """`Scripts` on S3."""

    def __init__(self, s3: S3Client) -> None:
        self._s3 = s3

    def read(self, uri: str, version: str | None) -> str:
        """The object's text, at most what one command can carry."""
        body = self._body(uri, version)
        if len(body) > LONGEST_SCRIPT:
            raise InvalidBlueprint(f"script.s3: {uri} is longer than {LONGEST_SCRIPT} bytes")
        try:
            return body.decode()
        except UnicodeDecodeError as error:
            raise InvalidBlueprint(f"script.s3: {uri} is not UTF-8 text") from error

    def _body(self, uri: str, version: str | None) -> bytes:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        request: dict[str, Any] = {"Bucket": bucket, "Key": key}
        if version:
            request["VersionId"] = version
        try:
            with translated("s3", "GetObject"):
                return self._s3.get_object(**request)["Body"].read(LONGEST_SCRIPT + 1)
        except AwsRefused as error:
            raise InvalidBlueprint(
                f"script.s3: {uri} cannot be read ({error.code}); is it there, and is its bucket "
                "the template's ScriptBuckets?"
            ) from error
