"""Scripts in S3: what the port promises, kept by the fake and by the adapter on moto alike."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kiln.adapters.scripts import S3Scripts
from kiln.errors import InvalidBlueprint
from kiln.ports import Scripts
from tests.fakes import FakeScripts
from tests.moto_clients import mock_aws, moto_client

URI = "s3://scripts/a/tune.sh"


@pytest.fixture(params=["fake", "moto"])
def scripts(request: pytest.FixtureRequest) -> Iterator[Scripts]:
    if request.param == "fake":
        yield FakeScripts({URI: "echo tuned\n"})
        return
    with mock_aws():
        s3 = moto_client("s3")
        place = {"LocationConstraint": "eu-west-1"}
        s3.create_bucket(Bucket="scripts", CreateBucketConfiguration=place)
        s3.put_object(Bucket="scripts", Key="a/tune.sh", Body=b"echo tuned\n")
        yield S3Scripts(s3)


def test_a_script_is_read_by_its_uri(scripts: Scripts) -> None:
    assert scripts.read(URI, None) == "echo tuned\n"


@pytest.mark.parametrize("uri", ["s3://scripts/none.sh", "s3://no-such-bucket/a"])
def test_a_script_that_is_not_there_is_named(scripts: Scripts, uri: str) -> None:
    with pytest.raises(InvalidBlueprint, match=f"{uri} cannot be read"):
        scripts.read(uri, None)
