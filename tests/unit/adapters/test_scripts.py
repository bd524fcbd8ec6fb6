"""How a user's script is read from S3, and what is refused."""

from __future__ import annotations

import io

import pytest
from botocore.response import StreamingBody

from kiln.adapters.scripts import S3Scripts
from kiln.domain.step import LONGEST_SCRIPT
from kiln.errors import AwsBusy, InvalidBlueprint
from tests.stubs import scripted

URI = "s3://scripts/a/tune.sh"


def read(body: bytes, version: str | None = None) -> str:
    """What the adapter makes of an object."""
    request = {"Bucket": "scripts", "Key": "a/tune.sh"}
    request |= {"VersionId": version} if version else {}
    with scripted("s3") as s3:
        stream = StreamingBody(io.BytesIO(body), len(body))
        s3.answer("get_object", {"Body": stream}, request)
        return S3Scripts(s3.client).read(URI, version)


def test_a_script_is_read_in_the_version_asked_for() -> None:
    assert read("echo é\n".encode()) == "echo é\n"
    assert read(b"echo old\n", version="v1") == "echo old\n"


def test_a_script_that_no_command_can_carry_is_refused() -> None:
    assert len(read(b"#" * LONGEST_SCRIPT)) == LONGEST_SCRIPT
    with pytest.raises(InvalidBlueprint, match=f"{URI} is longer than {LONGEST_SCRIPT} bytes"):
        read(b"#" * (LONGEST_SCRIPT + 1))


def test_a_script_that_is_no_text_is_refused() -> None:
    with pytest.raises(InvalidBlueprint, match=f"{URI} is not UTF-8 text"):
        read(b"\xff\xfe")


@pytest.mark.parametrize("code", ["NoSuchKey", "NoSuchBucket", "NoSuchVersion", "AccessDenied"])
def test_a_script_that_cannot_be_read_names_s3s_reason(code: str) -> None:
    with scripted("s3") as s3:
        s3.refuse("get_object", code, 404)
        with pytest.raises(InvalidBlueprint, match=rf"{URI} cannot be read \({code}\)"):
            S3Scripts(s3.client).read(URI, None)


def test_a_script_is_read_again_when_s3_is_busy() -> None:
    with scripted("s3") as s3:
        s3.refuse("get_object", "SlowDown", 503)
        with pytest.raises(AwsBusy):
            S3Scripts(s3.client).read(URI, None)
