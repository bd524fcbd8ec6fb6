"""What programs on an instance get from the local AWS's S3."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kiln_local.inside import Inside
from kiln_local.machines.asking import Answer
from kiln_local.windows.errors import ScriptError
from tests.moto_clients import mock_aws, moto_client

OBJECT = ("--bucket", "apps", "--key", "web/a.tar")
TEXT = ("--query", "[VersionId,ETag]", "--output", "text")


@pytest.fixture
def inside() -> Iterator[Inside]:
    with mock_aws():
        s3 = moto_client("s3")
        s3.create_bucket(
            Bucket="apps", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
        )
        s3.put_object(Bucket="apps", Key="web/a.tar", Body=b"one")
        yield Inside(moto_client, lambda: b"a certificate")


def aws(inside: Inside, *words: str, sent: bytes | None = None) -> Answer:
    return inside.answer(["aws", *words], sent)


def versioned() -> list[str]:
    """Two versions of the object, the older one first."""
    s3 = moto_client("s3")
    s3.put_bucket_versioning(Bucket="apps", VersioningConfiguration={"Status": "Enabled"})
    return [
        s3.put_object(Bucket="apps", Key="web/a.tar", Body=body)["VersionId"]
        for body in (b"two", b"three")
    ]


def test_an_object_without_versions_is_told_by_its_tag(inside: Inside) -> None:
    found = aws(inside, "s3api", "head-object", *OBJECT, *TEXT)
    assert (found.status, found.body) == (0, None)
    assert found.said == 'None\t"f97c5d29941bfb1b2fdab0874906ab82"\n'


def test_a_version_is_fetched_by_its_id(inside: Inside) -> None:
    older, newer = versioned()
    found = aws(inside, "s3api", "get-object", *OBJECT, *TEXT, "/tmp/a")
    assert (found.body, found.said.split("\t")[0]) == (b"three", newer)
    found = aws(inside, "s3api", "get-object", *OBJECT, "--version-id", older, "/tmp/a")
    assert found.body == b"two"
    assert f'"VersionId": "{older}"' in found.said


def test_an_object_is_stored_and_copied(inside: Inside) -> None:
    put = ("s3api", "put-object", "--bucket", "apps", "--key", "b", "--body", "/srv/b")
    assert aws(inside, *put, sent=b"b").status == 0
    assert aws(inside, "s3", "cp", "s3://apps/b", "-").body == b"b"
    assert aws(inside, "s3", "cp", "/srv/c", "s3://apps/c", sent=b"c").said.startswith("upload:")
    found = aws(inside, "s3", "cp", "s3://apps/c", "/srv/d")
    assert (found.body, found.said) == (b"c", "download: s3://apps/c to /srv/d\n")


def test_awss_own_refusal_is_passed_on(inside: Inside) -> None:
    found = aws(inside, "s3api", "get-object", "--bucket", "apps", "--key", "none", "/tmp/a")
    assert found.status == 254
    assert "An error occurred (NoSuchKey) when calling the GetObject operation" in found.said


@pytest.mark.parametrize(
    "words",
    [("ec2", "describe-instances"), ("s3", "ls"), ("s3", "cp"), ("s3api", "head-object"), ()],
)
def test_what_is_not_here_is_said(inside: Inside, words: tuple[str, ...]) -> None:
    found = aws(inside, *words)
    assert found.status == 252
    assert found.said.startswith("local AWS: ")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:4566"])
def test_a_loopback_address_is_an_object(inside: Inside, host: str) -> None:
    (older, _) = versioned()
    url = f"http://{host}/apps/web/a.tar"
    assert inside.answer(["curl", url], None).body == b"three"
    assert inside.answer(["curl", f"{url}?versionId={older}"], None).body == b"two"
    missing = inside.answer(["curl", f"{url}.gz"], None)
    assert (missing.status, missing.body) == (22, None)


@pytest.mark.parametrize("url", ["https://example.org/a", "ftp://localhost/a", "nonsense"])
def test_any_other_address_is_not_reached(inside: Inside, url: str) -> None:
    found = inside.answer(["curl", url], None)
    assert (found.status, found.body) == (6, None)
    assert "is not reached, there is no network here" in found.said


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("api/token", "local-token"),
        ("meta-data/iam/security-credentials/", "kiln-builder"),
        ("meta-data/iam/security-credentials/kiln-builder", '"SecretAccessKey": "local"'),
    ],
)
def test_an_instance_asks_who_it_is(inside: Inside, path: str, said: str) -> None:
    found = inside.answer(["curl", f"http://169.254.169.254/latest/{path}"], None)
    assert found.status == 0
    assert said in (found.body or b"").decode()


def test_what_the_metadata_service_does_not_have_is_no_object(inside: Inside) -> None:
    found = inside.answer(["curl", "http://169.254.169.254/latest/user-data"], None)
    assert (found.status, found.body) == (22, None)


def test_ec2s_certificate_is_there_for_bundles(inside: Inside) -> None:
    assert inside.answer(["ec2-certificate"], None) == Answer(0, "", b"a certificate")


@pytest.mark.parametrize(
    "host",
    [
        *("apps.s3.amazonaws.com", "apps.s3.eu-west-1.amazonaws.com"),
        *("s3.eu-west-1.amazonaws.com/apps", "s3.amazonaws.com/apps", "127.0.0.1/apps"),
    ],
)
def test_an_object_is_read_by_every_address_that_s3_has(inside: Inside, host: str) -> None:
    signed = f"https://{host}/web/a.tar?X-Amz-Signature=x"
    assert inside.answer(["curl", signed], None).body == b"one"
    assert inside.fetch(signed) == b"one"


@pytest.mark.parametrize("host", ["apps.example.org", "s3.amazonaws.com.example.org", "xs3.aws"])
def test_no_other_address_leads_anywhere(inside: Inside, host: str) -> None:
    assert inside.answer(["curl", f"https://{host}/web/a.tar"], None).status == 6
    with pytest.raises(ScriptError, match="is not reached"):
        inside.fetch(f"https://{host}/web/a.tar")


def test_a_presigned_address_leads_to_its_object(inside: Inside) -> None:
    request = {"Bucket": "apps", "Key": "web/a.tar"}
    url = moto_client("s3").generate_presigned_url("get_object", Params=request)
    assert url.startswith("https://")
    assert inside.fetch(url) == b"one"
